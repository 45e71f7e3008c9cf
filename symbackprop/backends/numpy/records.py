"""What ``module.py.jinja`` prints, as flat records of strings."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.backends.numpy.arguments import Argument, as_tuple
from symbackprop.backends.numpy.buffers import Buffer
from symbackprop.backends.numpy.descent import Descent


@dataclass(frozen=True, slots=True)
class Function:
    """An abstract function, or a slope of one; ``test`` is what the self-test takes for it."""

    name: str
    key: str
    says: str
    test: str


@dataclass(frozen=True, slots=True)
class Value:
    """A quantity that is returned, or the seed: its identifier, the model's name, its type."""

    name: str
    key: str
    kind: str
    annotation: str


@dataclass(frozen=True, slots=True)
class Dim:
    """An extent: its identifier, and its size in the self-test."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """Everything that ``module.py.jinja`` prints."""

    title: str
    version: str
    digest: str
    dtype: str | None
    kind: str
    output: Value
    arguments: tuple[Argument, ...]
    functions: tuple[Function, ...]
    slopes: tuple[Function, ...]
    callables: tuple[Function, ...]
    results: tuple[Value, ...]
    seed: Value | None
    forward: tuple[str, ...]
    backward: tuple[str, ...]
    buffered: tuple[str, ...]
    buffers: tuple[Buffer, ...]
    checks: tuple[str, ...]
    dims: tuple[Dim, ...]
    helpers: tuple[str, ...]
    saved: tuple[str, ...]
    descent: Descent
    draws: tuple[str, ...]
    samplers: tuple[str, ...]
    tested: str

    @property
    def is_loss(self) -> bool:
        """Whether the output is a scalar with gradients."""
        return self.kind == "gradient" and self.seed is None

    @property
    def learns(self) -> bool:
        """Whether there is something to descend: a parameter with a gradient."""
        return self.is_loss and bool(self.descent.learnt)

    @property
    def derivatives_type(self) -> str:
        """The type of the derivatives by name."""
        scalar = any(r.annotation == "Scalar" for r in self.results)
        return f"dict[str, {'Scalar' if scalar else 'Array'}]"

    @property
    def has_scalars(self) -> bool:
        """Whether a scalar is mentioned in a signature."""
        mentioned = [v.annotation for v in (*self.results, self.output)]
        mentioned += [a.annotation for a in self.arguments]
        return any("Scalar" in annotation for annotation in mentioned)

    @property
    def sizes(self) -> str:
        """The code of the sizes of a workspace."""
        return as_tuple([d.name for d in self.dims])

    @property
    def step(self) -> str:
        """The step of central differences."""
        return "1e-2" if self.dtype == "float32" else "1e-6"

    @property
    def tolerance(self) -> str:
        """The error at which the self-test fails."""
        return "1e-2" if self.dtype == "float32" else "1e-6"

    @property
    def call_forward(self) -> str:
        """The arguments of a call of ``forward`` at ``given``."""
        return ", ".join(["**given", *(f"{f.name}={f.name}" for f in self.functions)])

    @property
    def call_moved(self) -> str:
        """The same at ``moved``."""
        return self.call_forward.replace("**given", "**moved", 1)

    @property
    def call_all(self) -> str:
        """The arguments of ``loss_and_grad`` at ``given``."""
        return ", ".join(["**given", *(f"{f.name}={f.name}" for f in self.callables)])

    @property
    def call_slopes(self) -> str:
        """The slopes that ``backward`` takes, after its other arguments."""
        return "".join(f", {f.name}={f.name}" for f in self.slopes)

    @property
    def call_workspace(self) -> str:
        """The arguments of a workspace for the self-test."""
        dtype = [f"dtype=np.{self.dtype}"] if self.dtype else []
        return ", ".join([*(f"{d.name}={d.name}" for d in self.dims), *dtype])

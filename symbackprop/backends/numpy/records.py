"""What ``module.py.jinja`` prints, as flat records of strings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.backends.numpy.arguments import Argument, as_tuple
from symbackprop.backends.numpy.buffers import Buffer
from symbackprop.backends.numpy.descent import Descent

# fmt: off
SAYS: Mapping[str, str] = {
    "jacobian": "the Jacobians of ``{of}``: axes of the output, then of the input",
    "hessian":  "the Hessian of ``{of}`` by blocks: axes of the first, then of the second",
    "hvp":      "the Hessian of ``{of}`` times a direction, without forming the Hessian",
    "jvp":      "the derivative of ``{of}`` along a direction",
    "vjp":      "a direction times the Jacobians of ``{of}``",
}
RETURNED: Mapping[str, str] = {
    "jacobian": "jacobians", "hessian": "blocks", "hvp": "products", "jvp": "", "vjp": "products",
}
# fmt: on


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
    label: str


@dataclass(frozen=True, slots=True)
class Dim:
    """An extent: its identifier, and its size in the self-test."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Further:
    """A function of the module beside loss and gradient: ``jacobian``, ``hessian``, ``hvp``,
    ``jvp`` or ``vjp``. It starts from the arguments; a product with a direction takes that too.
    """

    name: str
    of: str
    arguments: tuple[Argument, ...]
    callables: tuple[Function, ...]
    results: tuple[Value, ...]
    lines: tuple[str, ...]
    checks: tuple[str, ...]
    draws: tuple[str, ...]
    moves: tuple[tuple[str, str], ...]
    tested: str

    @property
    def says(self) -> str:
        """What it computes."""
        return SAYS[self.name].format(of=self.of)

    @property
    def code(self) -> str:
        """All its lines."""
        return "\n".join(self.lines)

    @property
    def returned(self) -> str:
        """What the returned dictionary is called; nothing where an array is returned."""
        return RETURNED[self.name]

    @property
    def returns(self) -> str:
        """The type of what it returns."""
        if not self.returned:
            return self.results[0].annotation
        key = "tuple[str, str]" if self.name == "hessian" else "str"
        scalar = any(r.annotation == "Scalar" for r in self.results)
        return f"dict[{key}, {'Scalar | Array' if scalar else 'Array'}]"

    @property
    def call(self) -> str:
        """The arguments of a call in the self-test."""
        ways = ["**ways"] if self.draws or self.name in ("hvp", "jvp", "vjp") else []
        return ", ".join(["**given", *ways, *(f"{f.name}={f.name}" for f in self.callables)])

    @property
    def directions(self) -> str:
        """What the self-test moves: the identifiers of a quantity and of its direction each."""
        return as_tuple([f'("{x}", "{v}")' for x, v in self.moves])

    @property
    def weight(self) -> str:
        """The direction of a vector–Jacobian product, as a key."""
        return f'"{self.moves[0][1]}"'


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
    further: Further | None = None

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
        if self.further is not None:
            mentioned += [a.annotation for a in self.further.arguments]
            mentioned += [r.annotation for r in self.further.results]
        return any("Scalar" in annotation for annotation in mentioned)

    @property
    def sizes(self) -> str:
        """The code of the sizes of a workspace."""
        return as_tuple([d.name for d in self.dims])

    @property
    def places(self) -> int:
        """How many entries of an array the self-test moves at most, drawn at random."""
        return 60

    @property
    def step(self) -> str:
        """The step of central differences."""
        return "1e-6"

    @property
    def tolerance(self) -> str:
        """The error at which the self-test fails."""
        return "1e-3" if self.in_single else "1e-6"

    @property
    def in_single(self) -> bool:
        """Whether all arrays are float32."""
        return self.dtype == "float32"

    @property
    def call_forward(self) -> str:
        """The arguments of a call of ``forward`` at ``given``."""
        return ", ".join(["**given", *(f"{f.name}={f.name}" for f in self.functions)])

    @property
    def called(self) -> tuple[Function, ...]:
        """Every abstract function and slope that the self-test stands in for."""
        further = () if self.further is None else self.further.callables
        return tuple(dict.fromkeys((*self.callables, *further)))

    @property
    def call_all_moved(self) -> str:
        """The arguments of ``loss_and_grad`` at ``moved``."""
        return self.call_all.replace("**given", "**moved", 1)

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

"""What a derivation is, as data: for each derivative its equation, its term and the steps by which
it was reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr

from symbackprop.ir.program import Equation, Fact, Program
from symbackprop.ir.terms import Shape, Term


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation: what now stands right of ``=``, and why.

    ``form`` is an index expression (an entry of the derivative) or a term (the whole array).
    """

    form: Expr | Term
    because: str


@dataclass(frozen=True, slots=True)
class Recurrence:
    """For which steps the equation of a family's derivative holds: ``index`` from ``first`` to
    ``last``; the other members are told by the equations of ``boundary``.

    ``downwards`` if the derivative at a step uses that at a later one. ``lines`` are the steps by
    which each boundary was reached.
    """

    index: str
    first: Expr
    last: Expr
    boundary: tuple[Equation, ...] = ()
    downwards: bool = False
    lines: tuple[tuple[Step, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Derivative:
    """The derivative of ``of`` by ``wrt`` (a pair for a mixed Hessian block).

    ``equation`` has the adjoint's name (``grad_W``), its indices and its entry in terms of forward
    quantities and other adjoints; ``equation.term`` is that entry lifted. ``facts`` were used on
    the way.
    """

    of: str
    wrt: tuple[str, ...]
    kind: str
    shape: Shape
    equation: Equation
    steps: tuple[Step, ...]
    facts: tuple[Fact, ...] = ()
    recurrence: Recurrence | None = None

    @property
    def equations(self) -> tuple[Equation, ...]:
        """All equations that define the derivative: several for a family with boundaries."""
        return (self.equation, *(self.recurrence.boundary if self.recurrence else ()))


@dataclass(frozen=True, slots=True)
class Curvature:
    """What a block of a Hessian has beside its Gauss–Newton part, where the axes of each pair in
    ``ties`` (one of the rows, one of the columns) have equal indices.

    ``parts`` names one derivative, or three: weights ``q[n,t]`` and matrices ``a[n,r]``,
    ``b[n,c]`` whose ``Σ_n q a b`` it is.
    """

    first: str
    second: str
    ties: tuple[tuple[int, int], ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GaussNewton:
    """A Hessian as ``sign · Jᵀ J`` plus curvature: ``jacobian`` names the derivative that holds the
    stretch of ``J`` of each parameter, axes of samples first, whose extent is ``samples``.
    """

    samples: Expr
    sign: int
    jacobian: Mapping[str, str]
    curvature: tuple[Curvature, ...]


@dataclass(frozen=True, slots=True)
class DerivationRecord:
    """A forward program and the derivatives asked for, adjoints of intermediates on the way
    included, in order of derivation.

    ``wrt`` are the names asked for, where others were derived on the way; ``directions`` tells
    which array a directional kind goes along for a name; ``structure`` says how the parts of a
    Hessian are put together where it is not given block by block.
    """

    program: Program
    of: str
    kind: str
    layout: str
    derivatives: tuple[Derivative, ...]
    directions: Mapping[str, str] = field(default_factory=dict)
    wrt: tuple[str, ...] = ()
    structure: GaussNewton | None = None

    def is_asked_for(self, derivative: Derivative) -> bool:
        """Whether a derivative is one of those asked for: others were derived on the way.

        On the way to Hessian–vector products are adjoints and tangents, to Jacobian–vector
        products tangents.
        """
        if derivative.kind != self.kind:
            return False
        if self.kind == "jvp":
            return derivative.of == self.of
        return self.kind not in ("hvp", "vjp") or derivative.wrt[0] in self.wrt

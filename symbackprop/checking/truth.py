"""What is true of a model: its gradients as equations, and the values of everything at a few
points.

Judging begins with values: floating point at points with distinct extents, and at one where all
extents are equal (where a missing transpose shows as a number and not only as a shape). Points are
drawn with a fixed seed, so verdicts repeat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from sympy import Basic, Expr, Integer, Symbol

from symbackprop.algebra.prove import BUDGET, Effort, confirm
from symbackprop.calculus.reverse import reverse
from symbackprop.checking.work import EVALUATION, NODES, PROOF, Work
from symbackprop.ir import terms
from symbackprop.ir.evaluate import Point, evaluate, extent_value, run
from symbackprop.ir.expressions import Entry, Index, IndexSum, extent_symbol, free_indices
from symbackprop.ir.letters import letters
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.sample import admissible, draw, fitting
from symbackprop.ir.verdict import Verdict
from symbackprop.library.functions import RULES

TOLERANCE = 1e-7
SEEDS = (11, 23, 37)
FURTHER, MOST_FURTHER = 1_000, 40
LARGEST = 4_000  # entries of an array beyond which extents need not all be different


def gradients(program: Program) -> tuple[Equation, ...]:
    """The adjoints of everything that a derivation may name, hidden ones included, each after those
    that it uses.

    What the loss does not depend on has the gradient 0. None for a program whose output is no
    scalar.
    """
    if program.shape_of(program.output):
        return ()
    inputs = [q.name for q in program.inputs if q.role != "index"]
    names = inputs + [e.name for e in program.equations]
    adjoints = reverse(program, program.output, names)
    found = {a.of for a in adjoints}
    out = [
        Equation(
            a.name, a.indices, a.entry, terms.name(a.name, [i.extent for i in a.indices]), a.hidden
        )
        for a in adjoints
    ]
    hidden = {e.name for e in program.equations if e.hidden}
    for name in names:
        if name not in found:
            shape = program.shape_of(name)
            indices = letters(shape)
            out.append(
                Equation(
                    f"grad_{name}",
                    indices,
                    Integer(0),
                    terms.name(f"grad_{name}", shape),
                    name in hidden,
                )
            )
    return tuple(out)


ANY_SCALAR = "_any_scalar"


def of_any_scalar(program: Program) -> Program:
    """A program whose output is an array, followed by any scalar of it: what has the gradient of
    the output as a free input.
    """
    shape = program.shape_of(program.output)
    indices = letters(shape)
    seed = Quantity(f"{ANY_SCALAR}_slope", shape, "data")
    total = IndexSum(Entry(seed.name, *indices) * Entry(program.output, *indices), *indices)
    scalar = Equation(ANY_SCALAR, (), total, terms.name(ANY_SCALAR, ()), hidden=True)
    return replace(
        program,
        inputs=(*program.inputs, seed),
        equations=(*program.equations, scalar),
        output=ANY_SCALAR,
    )


def with_library(program: Program) -> Program:
    """The program with the rules of every function of the library, since a derivation may use
    any.
    """
    return replace(program, rules={**dict(RULES), **program.rules})


# The usual points of the last few programs: the documents of one model come one after the other.
_LATEST: deque[tuple[Program, tuple[Point, ...]]] = deque(maxlen=4)


@dataclass(slots=True)
class Values:
    """A few points of a program with all its quantities computed, and what expressions are worth
    there.
    """

    program: Program
    points: list[Point] = field(default_factory=list)
    work: Work = field(default_factory=Work)
    further: list[Point] = field(default_factory=list)
    # What was decided of two entries: a document may say the same thing many times.
    decided: dict[tuple[Expr, Expr], Verdict] = field(default_factory=dict)
    _memo: dict[tuple[Expr, tuple[Index, ...], int], np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = next((points for p, points in _LATEST if p == self.program), None)
        if known is None:
            known = tuple(self._usual())
            _LATEST.append((self.program, known))
        self.points.extend(known)

    def _usual(self) -> Iterator[Point]:
        names = [d.name for d in self.program.dims]
        choices = [self._sizes(names, shift) for shift in (0, 1)]
        choices.append(dict.fromkeys(names, 2))
        for seed, dims in zip(SEEDS, choices, strict=True):
            rng = np.random.default_rng(seed)
            if self.program.conditions:
                dims = fitting(self.program, rng, {})
            yield run(self.program, draw(self.program, rng, dims=dims))

    def _sizes(self, names: list[str], shift: int) -> dict[str, int]:
        """Extents for a point: all different, or, where an array would be too large for that (the
        images of a convolutional net), from a few small ones.
        """
        sizes: dict[str, int] = {}
        for several in (max(3, len(names)), 3):
            sizes = {n: 2 + (k + shift) % several for k, n in enumerate(names)}
            if not self.program.conditions and self._largest(sizes) <= LARGEST:
                break
        return sizes

    def _largest(self, sizes: dict[str, int]) -> int:
        """How many entries the largest array has."""
        shapes = [q.shape for q in self.program.inputs] + [e.shape for e in self.program.equations]
        each = (prod(extent_value(e, sizes) for e in shape) for shape in dict.fromkeys(shapes))
        return max(each, default=1)

    def of(self, e: Expr, order: tuple[Index, ...], at: int) -> np.ndarray:
        """All values of ``e`` at one of the points."""
        key = e, order, at
        if key not in self._memo:
            self.work.spend(EVALUATION + len(_parts(e)) // NODES)
            self._memo[key] = np.asarray(evaluate(e, self.points[at], order), dtype=float)
        return self._memo[key]

    def decide(self, a: Expr, b: Expr, program: Program) -> Verdict:
        """The verdict on two entries that agree in value."""
        if (a, b) not in self.decided:
            effort = Effort(self.work.left(BUDGET // PROOF) * PROOF)
            self.decided[a, b] = confirm(a, b, program, effort)
            self.work.spend(effort.spent // PROOF)
        return self.decided[a, b]

    def apart(self, a: Expr, b: Expr) -> tuple[int, tuple[Index, ...], np.ndarray] | None:
        """The first point at which two entries differ where both are defined: its number, the
        order of the indices, and the place of the greatest difference.
        """
        order = tuple(sorted(free_indices(a) | free_indices(b), key=lambda i: i.name))
        for at in range(len(self.points)):
            x, y = self.of(a, order, at), self.of(b, order, at)
            known = np.isfinite(x) & np.isfinite(y)
            with np.errstate(invalid="ignore", over="ignore"):
                gap = np.where(known, abs(x - y), 0.0)
                far = known & ~np.isclose(x, y, rtol=TOLERANCE, atol=TOLERANCE)
            if far.any():
                place = np.unravel_index(int(np.argmax(np.where(far, gap, -1.0))), gap.shape)
                return at, order, np.array(place, dtype=int)
        return None

    def apart_somewhere(self, a: Expr, b: Expr) -> bool:
        """Whether two entries differ at one of some further points with small extents: what is
        defined at none of the usual ones (a logarithm of gradients) may be there.
        """
        order = tuple(sorted(free_indices(a) | free_indices(b), key=lambda i: i.name))
        for k in range(MOST_FURTHER):
            if self.work.is_over():
                break
            self.work.spend(2 * EVALUATION)
            if k == len(self.further):
                self.further.append(self._small(FURTHER + k))
            x, y = (np.asarray(evaluate(e, self.further[k], order), float) for e in (a, b))
            known = np.isfinite(x) & np.isfinite(y)
            if not np.allclose(x[known], y[known], rtol=TOLERANCE, atol=TOLERANCE):
                return True
        return False

    def _small(self, seed: int) -> Point:
        rng = np.random.default_rng(seed)
        ones = {d.name: 1 + seed % 2 for d in self.program.dims}
        dims = ones if admissible(self.program, ones) else fitting(self.program, rng, {})
        return run(self.program, draw(self.program, rng, dims=dims))

    def more(self, seed: int) -> None:
        """One further point, where what agrees by accident may differ."""
        rng = np.random.default_rng(seed)
        dims = fitting(self.program, rng, {})
        self.points.append(run(self.program, draw(self.program, rng, dims=dims)))

    def forget(self) -> None:
        """Drop what was remembered: the points have changed."""
        self._memo.clear()

    def agree(self, a: Expr, b: Expr) -> bool:
        """Whether two entries have the same values at every point, wherever both are defined, and
        are somewhere.
        """
        order = tuple(sorted(free_indices(a) | free_indices(b), key=lambda i: i.name))
        seen = False
        for at in range(len(self.points)):
            x, y = self.of(a, order, at), self.of(b, order, at)
            known = np.isfinite(x) & np.isfinite(y)
            if not np.allclose(x[known], y[known], rtol=TOLERANCE, atol=TOLERANCE):
                return False
            seen = seen or bool(known.any()) or x.size == 0
        return seen


def _parts(e: Expr) -> set[Basic]:
    """The different subexpressions, each of which is evaluated once."""
    seen: set[Basic] = {e}
    waiting: list[Basic] = [e]
    while waiting:
        new = set(waiting.pop().args) - seen
        seen |= new
        waiting.extend(new)
    return seen


def identified(program: Program) -> Program:
    """The program with all its symbolic extents taken to be one, so that shapes which clash in
    general can be compared.
    """
    one = extent_symbol(program.dims[0].name) if program.dims else None
    to = dict.fromkeys(program.dims, one)
    return replace(
        program,
        inputs=tuple(Quantity(q.name, _shape(q.shape, to), q.role) for q in program.inputs),
        equations=tuple(
            Equation(
                e.name,
                tuple(_index(i, to) for i in e.indices),
                _merged(e.rhs, to),
                terms.name(e.name, _shape(e.shape, to)),
                e.hidden,
            )
            for e in program.equations
        ),
        facts=tuple(
            replace(f, value=_merged(f.value, to)) if f.value is not None else f
            for f in program.facts
        ),
        conditions=(),
    )


Merging = dict[Symbol, Symbol | None]


def _shape(shape: Sequence[Expr], to: Merging) -> tuple[Expr, ...]:
    return tuple(e.xreplace(to) for e in shape)


def _index(i: Index, to: Merging) -> Index:
    return Index(i.name, i.extent.xreplace(to))


def _merged(e: Expr, to: Merging) -> Expr:
    if isinstance(e, Index):
        return _index(e, to)
    if isinstance(e, Symbol):
        return to.get(e) or e
    return e.func(*(_merged(a, to) for a in e.args)) if e.args else e

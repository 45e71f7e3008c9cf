r"""Stars between arrays: ``X \star w``, ``x * w``, ``\delta *_{\text{full}} \tilde w``.

``⋆`` is cross-correlation, the second array being the one that slides. ``*`` and ``⊗`` are that or
convolution, which flips it: as the document uses them, found out by values and noted
(``scope.flipped``). What is *full* has the second array wherever it meets the first, zeros outside;
where only the shapes tell that this is meant, it is noted. Stacks of images have channels before
their two axes, kernels the channels that they make and those that they read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from sympy import Expr, Integer, expand

from symbackprop.checking.by_terms import Build, apply_term
from symbackprop.checking.readings import Note, Reading, Readings
from symbackprop.checking.scope import Scope
from symbackprop.ir import array_terms, window_terms
from symbackprop.ir.terms import ShapeError, Term

CORRELATION, UNDECIDED = "⋆", "*⊗"
STARS = CORRELATION + UNDECIDED
AS_CORRELATION = Note("the star is read as cross-correlation, the kernel not flipped")
AS_CONVOLUTION = Note("the star is read as convolution, the kernel flipped")
FULL = Note("the shapes tell that the full correlation is meant, zeros outside")
KERNEL_FIRST = Note("what slides stands before the star")
BATCH = Note("the correlation of two batches is summed over their samples")
OVER_OUTPUTS = Note("the correlation is summed over the channels that the kernel makes")
ONE = Integer(1)
# Ranks of image and kernel, and along how many axes the kernel slides.
SLIDING = {
    (1, 1): 1, (2, 1): 1, (2, 3): 1, (3, 3): 1,
    (2, 2): 2, (3, 2): 2, (4, 2): 2, (3, 4): 2, (4, 4): 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What stands beside a star, or among the arguments of a call: strides and so on, a mode, and
    whether the kernel is flipped (None where the document decides).
    """

    strides: tuple[Expr, ...] | None = None
    paddings: tuple[Expr, ...] | None = None
    dilations: tuple[Expr, ...] | None = None
    groups: Expr = ONE
    mode: str = ""
    flipped: bool | None = False
    strict: bool = False


PLAIN = Told()


def starred(a: Readings, b: Readings, sign: str, told: Told, scope: Scope) -> Readings:
    """The readings of two arrays with a star between them."""
    note: tuple[Note, ...] = ()
    if sign in UNDECIDED:
        scope.starred = True
        note = (AS_CONVOLUTION if scope.flipped else AS_CORRELATION,)
        told = replace(told, flipped=scope.flipped)
    return tuple(
        r
        for build, cost, notes in _meanings(told)
        for r in apply_term(build, _alone(a, b), cost, *notes, *note)
    )


def _alone(a: Readings, b: Readings) -> tuple[Readings, Readings]:
    """The operands that are arrays, as such: a row is a sequence like a column."""
    first, second = (tuple(replace(r, row=False) for r in side if r.rank) for side in (a, b))
    return first, second


Meaning = tuple[Build, float, tuple[Note, ...]]


def _meanings(told: Told) -> Iterator[Meaning]:
    """The ways to read a star, with their price."""
    whole = partial(correlated, told=replace(told, mode="full"))
    if told.mode == "full":
        yield whole, 0.0, ()
    elif told.mode == "same":
        yield partial(correlated, told=told), 0.0, ()
    else:
        yield partial(correlated, told=told), 0.0, ()
    if told.strict:
        return
    if not told.mode:
        yield partial(_turned, told=told), 0.4, (KERNEL_FIRST,)
        yield partial(_batches, told=told), 0.6, (BATCH,)
        if told.strides is None and told.paddings is None:
            yield whole, 0.5, (FULL,)
            mode = replace(told, mode="full")
            yield partial(_over_outputs, told=mode), 0.7, (FULL, OVER_OUTPUTS)
    elif told.mode == "full":
        yield partial(_over_outputs, told=told), 0.6, (OVER_OUTPUTS,)


def correlated(a: Term, w: Term, told: Told = PLAIN) -> Term:
    """The correlation of two arrays, as told."""
    axes = SLIDING.get((a.rank, w.rank))
    if axes is None:
        raise ShapeError("an image and a kernel", f"arrays of rank {a.rank} and {w.rank}")
    paddings = told.paddings
    reach = [expand(e - 1) for e in w.shape[-axes:]]
    if told.mode == "full":
        paddings = tuple(reach)
    elif told.mode == "same":
        paddings = tuple(_half(e) for e in reach)
    if told.flipped:
        w = array_terms.flip(w, tuple(range(w.rank - axes, w.rank)))
    return window_terms.correlation(
        a,
        w,
        _per_axis(told.strides, axes),
        _per_axis(paddings, axes),
        _per_axis(told.dilations, axes),
        told.groups,
        axes,
    )


def _half(reach: Expr) -> Expr:
    half = expand(reach / 2)
    if not all(c.is_Integer for c in half.as_coefficients_dict().values()):
        raise ShapeError("a kernel of odd extent for the same shape", str(reach + 1))
    return half


def _per_axis(numbers: tuple[Expr, ...] | None, axes: int) -> tuple[Expr, ...] | None:
    """A number for each axis; one stands for all."""
    if numbers is None or len(numbers) == axes:
        return numbers
    if len(numbers) == 1:
        return numbers * axes
    raise ShapeError(f"one number or {axes}", f"{len(numbers)} numbers")


def _turned(w: Term, a: Term, told: Told) -> Term:
    return correlated(a, w, told)


def _batches(a: Term, w: Term, told: Told) -> Term:
    """``Σ_n`` over the samples of both: channels of the one by channels of the other."""
    if a.rank != w.rank or a.rank not in (3, 4) or told.groups != 1:
        raise ShapeError("two batches", f"arrays of rank {a.rank} and {w.rank}")
    images, kernels = (array_terms.swap(t, 0, 1) for t in (a, w))
    return array_terms.swap(correlated(images, kernels, told), 0, 1)


def _over_outputs(a: Term, w: Term, told: Told) -> Term:
    """``Σ_o δ_o w_{oc}``: the way back, from the channels made to those read."""
    if (a.rank, w.rank) not in ((3, 4), (4, 4), (2, 3), (3, 3)) or told.groups != 1:
        raise ShapeError("channels and kernels", f"arrays of rank {a.rank} and {w.rank}")
    return correlated(a, array_terms.swap(w, 0, 1), told)


def shown(r: Reading) -> bool:
    """Whether a reading is an array that a star may be about."""
    return 1 <= r.rank <= 4

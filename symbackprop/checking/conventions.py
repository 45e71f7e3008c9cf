r"""What a symbol without definition usually means: ``\hat y`` the prediction, ``h_{t-1}`` the state
before, ``g`` the gradient that comes in. All of it is guessed, and never refutes by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import Scripts, item_text
from symbackprop.ir.expressions import entry_names
from symbackprop.ir.terms import same_shape
from symbackprop.notation.written import Accent, Name

Convention = Callable[[Scripts, Scope], Iterator[tuple[str, int]]]


def conventions(scripts: Scripts, scope: Scope) -> Iterator[tuple[str, int, bool]]:
    """The names that the conventions propose, how many scripts belong to the symbol, and whether
    the convention is one that everybody keeps to.
    """
    for convention in CONVENTIONS:
        for name, taken in convention(scripts, scope):
            yield name, taken, convention in KEPT


def before(scripts: Scripts, scope: Scope) -> Iterator[tuple[str, int]]:
    """``h_{t-1}``: the state with which the step begins."""
    if isinstance(scripts.base, Name) and len(scripts.items) == 1:
        if item_text(scripts.items[0]).endswith("-1"):
            for ending in ("0", "_prev", "prev"):
                yield scripts.base.text + ending, 1


def _hat(scripts: Scripts, scope: Scope) -> Iterator[tuple[str, int]]:
    """``x̂``: a quantity named after the letter; ``ŷ``: the last of the shape of y before the
    loss.
    """
    base = scripts.base
    if not isinstance(base, Accent) or base.accent != "hat" or not isinstance(base.body, Name):
        return
    letter = base.body.text
    for cased in (letter, letter.swapcase()):
        yield cased + "h", 0
    if letter.lower() == "y" and scope.shape(letter) is not None:
        yield from ((n, 0) for n in reversed(_like(letter, scope)))


def _like(name: str, scope: Scope) -> list[str]:
    """The quantities of the shape of an input that stand in an equation with it or depend on
    none that does.
    """
    shape = scope.shape(name)
    assert shape is not None, "asked for declared names"
    out = []
    for e in scope.forward.equations:
        if name in entry_names(e.rhs):
            break
        if not e.hidden and same_shape(e.shape, shape):
            out.append(e.name)
    return out


def _incoming(scripts: Scripts, scope: Scope) -> Iterator[tuple[str, int]]:
    """``g``: the one input by which the model's output is multiplied."""
    if isinstance(scripts.base, Name) and scripts.base.text in ("g", "G"):
        found = [q.name for q in scope.forward.inputs if q.name[:1] in ("g", "d", "G") and q.shape]
        seeds = [n for n in found if n != "gamma"]
        if len(seeds) == 1:
            yield seeds[0], 0


def _output(scripts: Scripts, scope: Scope) -> Iterator[tuple[str, int]]:
    """``Y``, ``y``: what the model computes, where nothing else bears the name."""
    if isinstance(scripts.base, Name) and scripts.base.text in ("y", "Y", "O", "o"):
        found = [e for e in scope.forward.equations if not e.hidden and e.name != scope.loss]
        if found:
            yield found[-1].name, 0


def _variance(scripts: Scripts, scope: Scope) -> Iterator[tuple[str, int]]:
    """``σ²``: the variance."""
    if isinstance(scripts.base, Name) and scripts.base.text == "sigma2":
        for name in ("var", "variance", "sigma2", "sigmasq", "s2", "v"):
            yield name, 0


def _layered(scripts: Scripts, scope: Scope) -> Iterator[tuple[str, int]]:
    """``H`` where the model has one H1 alone."""
    if isinstance(scripts.base, Name) and not scripts.items:
        text = scripts.base.text
        alike = [n for n in scope.arrays if n.rstrip("0123456789") == text and n != text]
        if len(alike) == 1:
            yield alike[0], 0


KEPT: tuple[Convention, ...] = (before, _hat, _incoming, _variance)
CONVENTIONS: tuple[Convention, ...] = (before, _hat, _incoming, _output, _variance, _layered)

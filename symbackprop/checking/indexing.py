"""Arrays at their indices: ``X_{nd}``, ``x^{(i)}``, ``X[n, :]``; symbols as written."""

from __future__ import annotations

from sympy import Expr, Integer, Mul

from symbackprop.checking.lookups import looked_up
from symbackprop.checking.places import COUNTED, at_place, place_of, run_together, taken_apart
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    position,
)
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text, spellings
from symbackprop.ir.affine import floor_div
from symbackprop.ir.expressions import Entry, Index, substitute
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Mark, Name, Node, Number, walk

OUTSIDE = Note("entries outside what is defined count as 0")
OF_IMAGES = frozenset("abcouvxy")  # rows, columns, channels and places in a kernel
USUAL = frozenset("ijklmnpqrst")


def said(node: Node, scope: Scope) -> str:
    """The symbol in the writer's spelling."""
    return (
        scope.text[node.start : node.end]
        if node.start >= 0
        else " or ".join(spellings(node)[:1]) or "this"
    )


def indexed(
    r: Reading, items: tuple[Node, ...], node: Node, scope: Scope, first: int | None = None
) -> Readings:
    """A reading with its leading positional axes at the given scripts; ``first`` is where counting
    begins, if not where the document does.
    """
    if not items:
        return (r,)
    if len(items) > r.rank and any(is_new_axis(i, scope) for i in items):
        return _with_new_axes(r, items, node, scope)
    if len(items) > r.rank:
        items = run_together(items, r.rank, scope)
    if len(items) < r.rank:
        items = taken_apart(items, r.rank)
    odd = frozenset(f"the index {t}" for t in map(item_text, items) if unusual(t, r, scope))
    if len(items) > r.rank:
        named = any(scope.shape(text) is not None for text in map(item_text, items))
        raise Unreadable(
            "notation" if odd or named else "shape",
            f"{said(node, scope)} has {len(items)} indices, the array has {r.rank}",
            node,
        )
    mapping: dict[Index, Expr] = {}
    kept = []
    for axis, item in zip(r.axes, items, strict=False):
        if isinstance(item, Mark) and item.text == ":":
            kept.append(axis)
        elif isinstance(item, Mark) and item.text.startswith("::"):
            kept.append(_every(item, axis, len(kept), node))
            mapping[axis] = int(item.text[2:]) * kept[-1]
        else:
            mapping[axis] = _place(item, axis, node, scope, first)
    notes = r.notes
    if scope.base == 0 and scope.counted:
        notes = notes | {COUNTED}
    inside = Mul(*(at_place(r, axis, place) for axis, place in mapping.items()))
    return (
        array(
            inside * substitute(r.expr, mapping),
            (*kept, *r.axes[len(items) :]),
            row=r.row,
            cost=r.cost,
            notes=notes if inside == 1 else notes | {OUTSIDE},
            guessed=r.guessed | odd,
        ),
    )


def _every(item: Mark, axis: Index, k: int, node: Node) -> Index:
    """The axis that ``::2`` leaves of one: every second place, from the first."""
    step = item.text[2:]
    if not step.isdigit() or int(step) < 1:
        raise Unreadable("notation", "the step of a slice is a number", node)
    return Index(f"_e{k}", floor_div(axis.extent + int(step) - 1, Integer(step)))


def _with_new_axes(r: Reading, items: tuple[Node, ...], node: Node, scope: Scope) -> Readings:
    """``b_{:,*,*}``: a star is an axis of extent 1 that the array does not have."""
    stars = [is_new_axis(i, scope) for i in items]
    own = tuple(i for i, star in zip(items, stars, strict=True) if not star)
    if not all(isinstance(i, Mark) and i.text == ":" for i in own) or len(own) > r.rank:
        raise Unreadable("notation", "a new axis beside an index", node)
    old = iter(r.axes)
    axes = [Index(f"_n{k}", 1) if star else next(old) for k, star in enumerate(stars)]
    return (array(r.expr, (*axes, *old), cost=r.cost, notes=r.notes, guessed=r.guessed),)


def is_new_axis(item: Node, scope: Scope) -> bool:
    """Whether a script is a star, which among more scripts than axes is an axis of extent 1."""
    return isinstance(item, Mark) and scope.text[item.start : item.end].strip() in ("*", r"\ast")


def unusual(letter: str, r: Reading, scope: Scope) -> bool:
    """Whether a subscript may be part of a name rather than an index: ``u_o``, ``h_t`` where time
    steps are counted. What rests on such an index is a guess.
    """
    if len(letter) != 1 or not letter.isalpha() or letter in scope.bound:
        return False
    if scope.slides and letter in OF_IMAGES:
        return False
    own = {str(i.extent)[:1].lower() for i in r.axes}
    return letter in scope.stepping or (letter not in own and not usual(letter, scope))


def usual(letter: str, scope: Scope) -> bool:
    """Whether a letter is one that people take for indices, or an extent of the model."""
    return letter in USUAL or letter in scope.dims


def _place(item: Node, axis: Index, node: Node, scope: Scope, first: int | None) -> Expr:
    """An index expression: a letter, a number (counted from ``first``), an extent, which is the
    last entry, or a sum of these.
    """
    if isinstance(item, Number) and item.text.isdigit():
        return Integer(int(item.text) - (scope.base if first is None else first))
    if isinstance(item, Name) and item.text in scope.dims and not _runs(item.text, axis, scope):
        if not same_extent(scope.dims[item.text], axis.extent):
            raise Unreadable(
                "shape", f"the index {item.text} is no place on an axis of {axis.extent}", node
            )
        return axis.extent - 1
    if is_letter(item):
        assert isinstance(item, Name), "a letter is a name"
        return Index(item.text, axis.extent)
    found = looked_up(item, axis.extent, scope)
    told = isinstance(item, Name | Mark) or _is_step(item, axis, scope)
    if found is None and not told:
        found = place_of(item, scope, first)
    if found is not None:
        return found
    raise Unreadable("notation", f"{item_text(item) or 'this'} is no index that can be read", item)


def _is_step(item: Node, axis: Index, scope: Scope) -> bool:
    """Whether ``t - 1`` is a step before and no place: nothing runs over t here, nor does the
    axis.
    """
    letters = {n.text for n in walk(item) if isinstance(n, Name)}
    known = {*scope.bound, *scope.letters, str(axis.extent)[:1].lower()}
    steps = (n for n in letters & scope.stepping if n not in known)
    return any(n == "t" or not usual(n, scope) for n in steps)


def _runs(letter: str, axis: Index, scope: Scope) -> bool:
    """Whether a letter that is also an extent is an index here: it is bound, or the extent of
    another axis.
    """
    if letter in scope.bound:
        return True
    return letter.islower() and not same_extent(scope.dims[letter], axis.extent)


def whole(name: str, scope: Scope) -> Reading:
    """The array ``name`` with positional axes."""
    shape = scope.shape(name)
    assert shape is not None, "whole() is asked for known names"
    axes = tuple(position(k, e) for k, e in enumerate(shape))
    return Reading(Entry(name, *axes), axes)

r"""Functions of arrays by name: ``\operatorname{conv2d}(X, W, stride=2)``,
``\operatorname{flip}(w)``, ``\operatorname{maxpool}_{2 \times 2}(Z)``, ``reshape(H, N, K)``.

What a function is told stands among its arguments, as in the model language, or below its name, as
the notes print it. ``FUNCTIONS`` is the table; ``rot180``, ``im2col``, ``meanpool`` and their kin
are other names. A name of the model or of the document is no function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sympy import Expr, Integer

from symbackprop.checking.by_terms import apply_term
from symbackprop.checking.extents import extent_of
from symbackprop.checking.read import read
from symbackprop.checking.readings import Note, Readings, Unreadable, show
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import scripts_of
from symbackprop.checking.stars import AS_CONVOLUTION, AS_CORRELATION, Told, correlated
from symbackprop.ir import array_terms, window_terms
from symbackprop.ir.terms import ShapeError, Term
from symbackprop.notation.written import (
    Binary,
    Bracket,
    Juxt,
    Keyword,
    Name,
    Node,
    Script,
    side_by_side,
)

WORDS = frozenset("stride padding dilation groups axis mode full valid same".split())
MODES = ("full", "valid", "same")


@dataclass(slots=True)
class Given:
    """What a call is told beside its arrays: numbers in order, and by word."""

    numbers: list[Node] = field(default_factory=list)
    words: dict[str, list[Node]] = field(default_factory=dict)

    def extents(self, word: str, scope: Scope) -> tuple[Expr, ...] | None:
        """What was told by a word, as extents."""
        return _extents(self.words[word], scope) if word in self.words else None

    def axes(self, scope: Scope) -> tuple[int, ...] | None:
        found = self.extents("axis", scope)
        return None if found is None else tuple(int(e) for e in found)


def array_function(first: Node, second: Node, scope: Scope) -> Readings | None:
    """The readings of a function of arrays with its bracket; None if ``first`` names none."""
    scripts = scripts_of(first)
    bracket = second.base if isinstance(second, Script) else second
    if not isinstance(scripts.base, Name) or not isinstance(bracket, Bracket):
        return None
    word = scripts.base.text
    named = scope.shape(word) is not None or any(n == word for n, _ in scope.patterns)
    if word not in ROWS or named or bracket.kind not in "([{" or second is not bracket:
        return None
    return called(word, (*scripts.items, *scripts.powers), bracket.items, first, scope)


def called(
    word: str, told: Sequence[Node], items: Sequence[Node], node: Node, scope: Scope
) -> Readings:
    """The readings of a function of the table at what stands in its bracket, and below its name."""
    row = ROWS[word]
    arrays = items[: row.arrays]
    if len(arrays) < row.arrays or any(isinstance(a, Keyword) for a in arrays):
        raise Unreadable("notation", f"{word} of {row.arrays} arrays is read", node)
    given, more = told_by(told, scope), told_by(items[row.arrays :], scope)
    given = Given(given.numbers + more.numbers, given.words | more.words)
    operands = [read(a, scope) for a in arrays]
    found = row.make(word, operands, given, scope)
    if not found:
        shapes = tuple(show(o[0]) for o in operands)
        said = f"{word} of {' and '.join(shapes)} does not fit"
        problem = Unreadable("shape", said, node, shapes)
        problem.guessed = frozenset().union(*(r.guessed for o in operands for r in o))
        raise problem
    return found


def told_by(items: Sequence[Node], scope: Scope) -> Given:
    r"""Numbers and words: ``2, \mathrm{axis}\,3``, ``stride=2``, ``\text{full}``."""
    out = Given()
    current = out.numbers
    spelled = "".join(i.text if isinstance(i, Name) else " " for i in items)
    if spelled in MODES:
        return Given(words={spelled: []})
    for item in items:
        if isinstance(item, Keyword):
            out.words[item.key] = [item.value]
            continue
        for word, node in _pieces(item):
            if word:
                current = out.words.setdefault(word, [])
            if node is not None:
                current.append(node)
    return out


def _pieces(item: Node) -> list[tuple[str, Node | None]]:
    """An item, with the word before it: ``stride 2 × 1`` is the word and two numbers."""
    if isinstance(item, Name) and item.text in WORDS:
        return [(item.text, None)]
    if isinstance(item, Juxt) and isinstance(item.factors[0], Name):
        word, *rest = item.factors
        if isinstance(word, Name) and word.text in WORDS:
            return [(word.text, side_by_side(rest))]
    if isinstance(item, Binary) and item.op == "×":
        return [*_pieces(item.left), *_pieces(item.right)]
    if isinstance(item, Bracket) and item.kind == "(" and len(item.items) == 1:
        return _pieces(item.items[0])
    return [("", item)]


def _extents(nodes: Sequence[Node], scope: Scope) -> tuple[Expr, ...] | None:
    """Nodes as extents, brackets around several opened; None if one is none."""
    flat = [
        i for n in nodes for i in (n.items if isinstance(n, Bracket) and n.kind in "([" else (n,))
    ]
    out = [_number(n, scope) for n in flat]
    return None if any(e is None for e in out) else tuple(e for e in out if e is not None)


def _number(node: Node, scope: Scope) -> Expr | None:
    """An extent, a number that may be negative, or a letter that the document gives a number."""
    found = extent_of(node, scope)
    if found is None and isinstance(node, Name):
        told = scope.patterns.get((node.text, ()))
        value = told.readings[0].expr if told is not None else None
        return value if value is not None and value.is_Integer else None
    return found


def _needed(found: tuple[Expr, ...] | None) -> tuple[Expr, ...]:
    """What must be told; a call without it has no reading."""
    if not found:
        raise ShapeError("an extent", "something else")
    return found


Make = Callable[[str, list[Readings], Given, Scope], Readings]


@dataclass(frozen=True, slots=True)
class Row:
    """A function: how many arrays it takes, and what it makes of them."""

    arrays: int
    make: Make


def told_of(
    given: Given, scope: Scope, *, strict: bool = False, flipped: bool | None = False
) -> Told:
    """Strides, paddings and the mode of a correlation."""
    words = given.words
    mode = next((m for m in MODES if m in words), "")
    if "mode" in words and isinstance(words["mode"][0], Name):
        mode = words["mode"][0].text
    ordered = [_extents([n], scope) for n in given.numbers]
    found = {w: given.extents(w, scope) for w in ("stride", "padding", "dilation", "groups")}
    for word, numbers in zip(("stride", "padding", "dilation"), ordered, strict=False):
        found[word] = found[word] or numbers
    groups = found["groups"] or (Integer(1),)
    return Told(
        found["stride"],
        found["padding"],
        found["dilation"],
        groups[0],
        "" if mode == "valid" else mode,
        flipped,
        strict,
    )


def _convolution(flipped: bool | None, mode: str = "") -> Make:
    def make(word: str, operands: list[Readings], given: Given, scope: Scope) -> Readings:
        told = told_of(given, scope, strict=True, flipped=bool(flipped))
        notes: tuple[Note, ...] = ()
        if flipped is None:
            scope.starred = True
            told = told_of(given, scope, strict=True, flipped=scope.flipped)
            notes = (AS_CONVOLUTION if scope.flipped else AS_CORRELATION,)
        if mode and not told.mode and not given.words:
            told = Told(mode=mode, flipped=told.flipped)
        return apply_term(partial(correlated, told=told), operands, 0.0, *notes)

    return make


def _on_images(build: Callable[[Term, Given, Scope], Term]) -> Make:
    def make(word: str, operands: list[Readings], given: Given, scope: Scope) -> Readings:
        return apply_term(lambda a: build(a, given, scope), operands)

    return make


def _spatial(a: Term) -> tuple[int, ...]:
    """The axes along which a window slides: the last two, of a sequence its only one."""
    return tuple(range(max(0, a.rank - 2), a.rank))


def _flip(a: Term, given: Given, scope: Scope) -> Term:
    axes = given.axes(scope)
    if axes is None and given.numbers:
        axes = tuple(int(e) for e in _needed(_extents(given.numbers, scope)))
    return array_terms.flip(a, _spatial(a) if axes is None else axes)


def _pad(a: Term, given: Given, scope: Scope) -> Term:
    """``pad_{(K-1, K-1)}``: a pair for each of the last axes; one number is for all sides."""
    nodes = given.numbers or given.words.get("padding", [])
    pairs = [_needed(_extents([n], scope)) for n in nodes]
    if len(pairs) == 1 and len(pairs[0]) == 1:
        return array_terms.pad(a, [(pairs[0][0], pairs[0][0])] * len(_spatial(a)))
    return array_terms.pad(a, [(p[0], p[-1]) for p in pairs])


def _pooling(op: str) -> Make:
    def make(word: str, operands: list[Readings], given: Given, scope: Scope) -> Readings:
        """One number may be for the last axis alone, or for both axes of an image."""
        found = (
            apply_term(lambda a, axes=axes: _pool(op, a, axes, given, scope), operands, cost)
            for axes, cost in ((2, 0.0), (1, 0.1))
            if not word.endswith(f"{3 - axes}d")
        )
        return tuple(r for readings in found for r in readings)

    return make


def _pool(op: str, a: Term, axes: int, given: Given, scope: Scope) -> Term:
    windows = _for_each(given.numbers, axes, scope)
    strides, paddings = (_told_each(given, w, axes, scope) for w in ("stride", "padding"))
    return window_terms.pool(op, a, windows, strides, paddings)


def _told_each(given: Given, word: str, axes: int, scope: Scope) -> tuple[Expr, ...] | None:
    return _for_each(given.words[word], axes, scope) if word in given.words else None


def _windows(build: Callable[..., Term], a: Term, given: Given, scope: Scope) -> Term:
    windows = _needed(_extents(given.numbers, scope))
    words = ("stride", "padding", "dilation")
    return build(a, windows, *(_told_each(given, w, len(windows), scope) for w in words))


def _reshape(a: Term, given: Given, scope: Scope) -> Term:
    return array_terms.reshape(a, _needed(_extents(given.numbers, scope)))


def _flatten(a: Term, given: Given, scope: Scope) -> Term:
    """All entries in a row; of a batch of images those of each image."""
    if a.rank > 2:
        return array_terms.reshape(a, (a.shape[0], array_terms.count(a.shape[1:])))
    return array_terms.flatten(a)


def _swap(a: Term, given: Given, scope: Scope) -> Term:
    axes = given.axes(scope) or tuple(int(e) for e in _needed(_extents(given.numbers, scope)))
    return array_terms.swap(a, *axes)


def _repeat(a: Term, given: Given, scope: Scope) -> Term:
    (times,) = _needed(_extents(given.numbers[:1], scope))
    axes = given.axes(scope)
    if axes is None and len(given.numbers) > 1:
        axes = tuple(int(e) for e in _needed(_extents(given.numbers[1:], scope)))
    return array_terms.repeat(a, times, *(axes or (-1,)))


def _upsample(a: Term, given: Given, scope: Scope) -> Term:
    """Every entry repeated along the axes of the image."""
    axes = _spatial(a)
    for axis, by in zip(axes, _for_each(given.numbers, len(axes), scope), strict=True):
        a = array_terms.repeat(a, by, axis)
    return a


def _for_each(numbers: Sequence[Node], axes: int, scope: Scope) -> tuple[Expr, ...]:
    """An extent for each axis; one stands for all."""
    found = _needed(_extents(numbers, scope))
    found = found * axes if len(found) == 1 else found
    if not axes or len(found) != axes:
        raise ShapeError(f"extents for {axes} axes", f"{len(found)}")
    return found


CORRELATIONS = ("conv1d", "conv2d", "corr", "corr1d", "corr2d", "xcorr", "correlate")
FLIPS = ("flip", "rot180", "reverse")
# fmt: off
ROWS: dict[str, Row] = {
    **dict.fromkeys(CORRELATIONS, Row(2, _convolution(False))),
    "conv":     Row(2, _convolution(None)),
    "convolve": Row(2, _convolution(True, "full")),
    "fullconv": Row(2, _convolution(True, "full")),
    **dict.fromkeys(FLIPS, Row(1, _on_images(_flip))),
    **dict.fromkeys(("pad", "pad2d", "zeropad"), Row(1, _on_images(_pad))),
    **dict.fromkeys(("maxpool", "maxpool1d", "maxpool2d", "MaxPool"),
                    Row(1, _pooling("maxpool"))),
    **dict.fromkeys(("avgpool", "avgpool1d", "avgpool2d", "meanpool", "AvgPool"),
                    Row(1, _pooling("avgpool"))),
    **dict.fromkeys(("unfold", "unfold1d", "unfold2d"),
                    Row(1, _on_images(partial(_windows, window_terms.unfold)))),
    **dict.fromkeys(("fold", "fold1d", "fold2d"),
                    Row(1, _on_images(partial(_windows, window_terms.fold)))),
    "reshape":  Row(1, _on_images(_reshape)),
    "flatten":  Row(1, _on_images(_flatten)),
    "swap":     Row(1, _on_images(_swap)),
    "repeat":   Row(1, _on_images(_repeat)),
    **dict.fromkeys(("upsample", "up"), Row(1, _on_images(_upsample))),
}
# fmt: on

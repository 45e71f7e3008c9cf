"""Members of stacked families, ``H[l-1]``, and sums over steps, ``sum[t in 1..T](…)``.

A member is a name with a label; where it stands inside a recurrence its label must be causal: a
quantity that the recurrence itself defines is read at the step before, or at the same step once it
has been defined there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sympy import Expr, expand

from symbackprop.errors import Malformed, NotSupported
from symbackprop.ir import terms
from symbackprop.ir.affine import nonnegative
from symbackprop.ir.families import (
    Family,
    Loop,
    at_step,
    family_of,
    label_text,
    letter_symbol,
    member,
)
from symbackprop.ir.terms import Term, same_extent
from symbackprop.notation import syntax as s
from symbackprop.notation.elaborate_operators import checked, elaborate
from symbackprop.notation.extents import extent, index_expression
from symbackprop.notation.scope import Scope


def member_of(tree: s.Subscript, scope: Scope) -> Term | None:
    """The member that the first item of a subscript takes; None for other subscripts."""
    if not isinstance(tree.base, s.Name):
        return None
    name = tree.base.text
    family = family_of(name, scope.families)
    first = tree.items[0]
    if family is None or name not in scope.shapes or isinstance(first, (s.Slice, s.Literal)):
        if family is None and not isinstance(first, s.Slice):
            _check_no_letter(tree, first, scope)
        return None
    label = member_label(first, scope)
    _check_range(tree, family, label, scope)
    return terms.name(member(name, label), scope.shapes[name][1:])


def member_label(tree: s.Tree, scope: Scope) -> Expr:
    """The label that an item says, in letters of steps and extents."""
    letters = {letter: letter_symbol(letter) for letter in scope.steps}
    label = expand(index_expression(tree, scope, letters))
    if any(label.coeff(x) not in (0, 1) for x in letters.values()):
        raise NotSupported(
            "a step and a shift, such as l-1", label_text(label), tree.span, "write H[l-1]"
        )
    return label


def _check_no_letter(tree: s.Subscript, first: s.Tree, scope: Scope) -> None:
    """A letter of a step may stand only in the bracket of a family."""
    for letter in _letters(first, scope):
        assert isinstance(tree.base, s.Name), "only names are looked at"
        name = tree.base.text
        if name in scope.shapes:
            raise Malformed(
                f"a stacked family before [{letter}]",
                f"the array {name}",
                tree.span,
                f"declare it with its range: {name}[{letter} in 1..K][…]",
            )
        raise Malformed(
            f"{name} to be defined at an earlier step",
            f"{name}, which has no boundary",
            tree.span,
            f"write the boundary above, for example {name}[0] = …",
        )


def _letters(tree: s.Tree, scope: Scope) -> Iterator[str]:
    if isinstance(tree, s.Name) and tree.text in scope.steps:
        yield tree.text
    if isinstance(tree, s.Subscript):
        return  # E[x[t]]: the look-up of a member is judged by itself
    for child in s.children(tree):
        yield from _letters(child, scope)


def _check_range(tree: s.Subscript, family: Family, label: Expr, scope: Scope) -> None:
    """Whether the label is one of the family's at every step, and causal."""
    letter = next((x for x in scope.steps if letter_symbol(x) in label.free_symbols), "")
    if family.name in scope.unfinished and letter:
        _check_causal(tree, family, expand(label - letter_symbol(letter)), letter, scope)
        return
    low = high = label
    if letter:
        loop = scope.steps[letter]
        low, high = (at_step(label, letter, e) for e in (loop.first, loop.last))
    for end, lacking in ((low, expand(family.first - low)), (high, expand(high - family.last))):
        if nonnegative(expand(lacking - 1)):
            known = f"{label_text(family.first)}..{label_text(family.last)}"
            raise Malformed(
                f"a member of {family.name}, which has {known}",
                f"{family.name}[{label_text(end)}]",
                tree.span,
                "shorten the range, or declare or define that member",
            )


def _check_causal(
    tree: s.Subscript, family: Family, shift: Expr, letter: str, scope: Scope
) -> None:
    name = family.name
    done = scope.unfinished[name]
    if not shift.is_Integer:
        raise NotSupported("a shift by whole steps", label_text(shift), tree.span)
    if shift > 0 or (shift == 0 and not done):
        when = "a later step" if shift > 0 else "the step itself, where it is not yet known"
        raise Malformed(
            f"{name} at an earlier step",
            f"{name} at {when}",
            tree.span,
            f"a recurrence runs upwards: write {name}[{letter}-1]",
        )
    if shift < -1:
        raise NotSupported(
            "a recurrence that looks back one step",
            f"{name}[{letter}{shift}]",
            tree.span,
            f"carry the older value along, P[{letter}] = {name}[{letter}-1], or give all ranges "
            "integer ends",
        )
    if shift == -1 and not same_extent(family.first, expand(scope.steps[letter].first - 1)):
        before = label_text(expand(scope.steps[letter].first - 1))
        raise Malformed(
            f"the boundary {name}[{before}]",
            f"{name}, which begins at {label_text(family.first)}",
            tree.span,
            f"write {name}[{before}] = … above the recurrence",
        )


def series(tree: s.Reduction, scope: Scope) -> Term | None:
    """``sum[t in 1..T](body)``: the body, an array at each step, summed over the steps; None where
    the index is one of entries.
    """
    if tree.word != "sum" or len(tree.indices) != 1:
        return None
    letter = tree.indices[0].text
    places = tuple(_uses(letter, tree.body))
    if not places or not all(_is_family(p, scope) for p in places):
        return None
    if scope.declares(letter) or letter in scope.steps:
        raise Malformed(
            "a new letter for the steps",
            f"{letter}, which has a meaning here",
            tree.indices[0].span,
            "choose another letter",
        )
    loop = _loop(tree, letter, places, scope)
    inner = replace(scope, steps={**scope.steps, letter: loop})
    body = elaborate(tree.body, inner)
    return checked(tree.span, terms.series, body, letter, loop.first, loop.last)


def _uses(letter: str, tree: s.Tree) -> Iterator[s.Subscript]:
    """The subscripts in whose first item the letter stands."""
    if isinstance(tree, s.Subscript) and _has_name(tree.items[0], letter):
        yield tree
    for child in s.children(tree):
        yield from _uses(letter, child)


def _has_name(tree: s.Tree, name: str) -> bool:
    return (isinstance(tree, s.Name) and tree.text == name) or any(
        _has_name(c, name) for c in s.children(tree)
    )


def _is_family(tree: s.Subscript, scope: Scope) -> bool:
    """Whether a subscript takes a member, not an entry by its place."""
    if not isinstance(tree.base, s.Name) or family_of(tree.base.text, scope.families) is None:
        return False
    return len(tree.items) == 1 or len(tree.items) < len(scope.shapes.get(tree.base.text, ()))


def _loop(tree: s.Reduction, letter: str, places: tuple[s.Subscript, ...], scope: Scope) -> Loop:
    for told in tree.ranges:
        first, last = (extent(e, scope) for e in (told.first, told.last))
        return Loop(letter, first, expand(last - first + 1))
    families = [
        family
        for place in places
        if isinstance(place.items[0], s.Name) and isinstance(place.base, s.Name)
        if (family := family_of(place.base.text, scope.families)) is not None
    ]
    common = _common([(f.first, f.last) for f in families])
    if common is None:
        named = " and of ".join(dict.fromkeys(f.name for f in families))
        raise Malformed(
            f"a range of the steps {letter} that follows from the arrays",
            f"those of {named}" if named else "no family with the letter alone in its bracket",
            tree.span,
            f"write it: sum[{letter} in 1..K](…)",
        )
    first, last = common
    return Loop(letter, first, expand(last - first + 1))


def _common(ranges: Sequence[tuple[Expr, Expr]]) -> tuple[Expr, Expr] | None:
    """The range on which all are defined, where it is the same for all sizes."""
    if not ranges:
        return None
    first, last = ranges[0]
    for a, b in ranges[1:]:
        if not (_decided(a, first) and _decided(b, last)):
            return None
        first = a if nonnegative(expand(a - first)) else first
        last = b if nonnegative(expand(last - b)) else last
    return first, last


def _decided(a: Expr, b: Expr) -> bool:
    return nonnegative(expand(a - b)) or nonnegative(expand(b - a))

"""Recurrences: which families a model has, which steps are being defined, and what may be said of
them.

A boundary ``H[0] = X`` opens a family, a step ``H[l] = … for l in 1..K`` gives it its range. Steps
that follow one another with the same range are one recurrence, so that several quantities may refer
to each other's earlier steps; it ends with the first line that is neither a step of that range nor
a boundary.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sympy import Expr, Integer, expand

from symbackprop.errors import Malformed, NotSupported, Span
from symbackprop.ir.affine import nonnegative
from symbackprop.ir.families import Family, Loop, label_text, letter_symbol, member
from symbackprop.ir.terms import Shape, same_extent, same_shape, show_shape
from symbackprop.notation import syntax as s
from symbackprop.notation.extents import extent, index_expression
from symbackprop.notation.scope import Scope


@dataclass(slots=True)
class Recurrences:
    """The families so far, the ranges of letters, and the recurrence that is open."""

    families: dict[str, Family] = field(default_factory=dict)
    loops: dict[str, Loop] = field(default_factory=dict)
    boundaries: dict[str, Span] = field(default_factory=dict)
    open: Loop | None = None
    defined: dict[str, bool] = field(default_factory=dict)

    def declare(self, item: s.Declared, scope: Scope) -> Expr:
        """The family that a declaration says; its count of members."""
        told = item.family
        assert told is not None, "only families are declared here"
        loop = self._loop(told, scope)
        self.families[item.name.text] = Family(item.name.text, *_told(loop))
        return loop.count

    def _loop(self, told: s.Range, scope: Scope) -> Loop:
        letter = told.index
        if scope.declares(letter.text) or scope.calls(letter.text):
            raise Malformed(
                "a new name as the letter of steps",
                f"{letter.text}, which is declared",
                letter.span,
                "choose another letter",
            )
        first, last = extent(told.first, scope), extent(told.last, scope)
        count = expand(last - first + 1)
        if nonnegative(expand(-count)):
            raise Malformed(
                "a range that runs upwards",
                f"{label_text(first)}..{label_text(last)}",
                told.span,
                "write the smaller end first; a recurrence backwards has no form yet",
            )
        return Loop(letter.text, first, count)

    def is_piece(self, tree: s.Equation, scope: Scope) -> bool:
        """Whether an equation defines a member of a family rather than an array by entries."""
        if tree.indices is None or len(tree.indices) != 1:
            return False
        (item,) = tree.indices
        if not isinstance(item, s.Name):
            return True
        told = [r for r in tree.ranges if r.index.text == item.text]
        if not told:
            return False
        name = tree.name.text
        from_zero = extent(told[0].first, scope) == 0
        known = self.families
        return not from_zero or name in known or takes_member(tree.value, item.text, known)

    def boundary(self, tree: s.Equation, scope: Scope) -> Expr:
        """The label of ``H[0] = …``."""
        assert tree.indices is not None, "a boundary has a label"
        if tree.ranges:
            raise Malformed(
                "a letter in the bracket of a step", "a number", tree.indices[0].span, "write H[l]"
            )
        label = expand(index_expression(tree.indices[0], scope, {}))
        if tree.name.text in self.families:
            raise NotSupported(
                f"one boundary of {tree.name.text}, below its steps",
                "another member defined by itself",
                tree.span,
                "give what differs a name of its own, or give all ranges integer ends",
            )
        return label

    def opened(self, tree: s.Equation, label: Expr, shape: Shape) -> None:
        """Note a boundary."""
        name = tree.name.text
        self.families[name] = Family(name, "", label, Integer(1))
        self.boundaries[name] = tree.span
        self.defined[name] = False

    def step(self, tree: s.Equation, scope: Scope) -> Loop:
        """The range of ``H[l] = … for l in 1..K``; it joins the open recurrence or begins one."""
        assert tree.indices is not None, "a step has a letter"
        if len(tree.ranges) != 1:
            raise Malformed("one range", f"{len(tree.ranges)}", tree.span, "write `for l in 1..K`")
        loop = self._loop(tree.ranges[0], scope)
        if self.open is None or not _same(self.open, loop):
            pending = {n: False for n, done in self.defined.items() if not done}
            others = pending.keys() - {tree.name.text}
            self.finish({n for n in others if not _follows(self.families[n], loop)})
            self.open, self.defined = loop, pending
        known = self.loops.get(loop.index)
        if known is not None and not _same(known, loop):
            raise Malformed(
                f"one range for the steps {loop.index}",
                f"{label_text(known.first)}..{label_text(known.last)} and "
                f"{label_text(loop.first)}..{label_text(loop.last)}",
                tree.ranges[0].span,
                "use another letter",
            )
        self.loops[loop.index] = loop
        family = self.families.get(tree.name.text)
        if family is not None:
            _check_fits(tree, family, loop)
        return loop

    def stepped(self, name: str, loop: Loop) -> None:
        """Note that the step of a family is defined."""
        before = self.families.get(name)
        if before is None:
            self.families[name] = Family(name, *_told(loop))
        else:
            self.families[name] = Family(name, loop.index, before.first, expand(loop.count + 1))
        self.defined[name] = True

    def finish(self, names: set[str] | None = None) -> None:
        """End the recurrence: every boundary must have found its step."""
        for name, done in self.defined.items():
            if not done and (names is None or name in names):
                label = label_text(self.families[name].first)
                raise Malformed(
                    f"the steps of {name} after its boundary {name}[{label}]",
                    "none",
                    self.boundaries[name],
                    f"write {name}[l] = … for l in 1..K",
                )
        if names is None:
            self.open, self.defined = None, {}


def _told(loop: Loop) -> tuple[str, Expr, Expr]:
    return loop.index, loop.first, loop.count


def _same(a: Loop, b: Loop) -> bool:
    return same_extent(a.first, b.first) and same_extent(a.count, b.count)


def _follows(family: Family, loop: Loop) -> bool:
    return same_extent(family.first, expand(loop.first - 1))


def _check_fits(tree: s.Equation, family: Family, loop: Loop) -> None:
    if not _follows(family, loop):
        raise Malformed(
            f"steps from {label_text(expand(family.first + 1))} on, after the boundary "
            f"{family.name}[{label_text(family.first)}]",
            f"steps from {label_text(loop.first)}",
            tree.ranges[0].span,
            "let the range begin just above the boundary",
        )


def check_shape(tree: s.Equation, before: Shape, shape: Shape) -> None:
    """Every member of a family has one shape."""
    if not same_shape(before, shape):
        name = tree.name.text
        raise Malformed(
            f"steps of the shape of the boundary: {name} is {_phrase(before)}",
            _phrase(shape),
            tree.value.span,
            "the shape may not change from step to step",
        )


def _phrase(shape: Shape) -> str:
    return show_shape(shape) if shape else "a scalar"


def label_of(name: str, loop: Loop) -> str:
    """``H[l]``: how the step of a family is called."""
    return member(name, letter_symbol(loop.index))


def takes_member(tree: s.Tree, letter: str, families: Collection[str]) -> bool:
    """Whether somewhere a member of a family is taken at the letter."""
    if isinstance(tree, s.Subscript) and isinstance(tree.base, s.Name):
        mentioned = any(isinstance(i, s.Name) and i.text == letter for i in s.children(tree))
        if tree.base.text in families and (mentioned or len(tree.items) == 1):
            return True
    return any(takes_member(c, letter, families) for c in s.children(tree))

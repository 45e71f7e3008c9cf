"""What a document's own symbols stand for: one that nobody knows, alone on one side of a relation,
is defined by the other side.

Where what is defined turns out to be a gradient, or a quantity of the model that has no name there,
the symbol is the writer's name of it from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from symbackprop.checking.compare import Comparison, fit
from symbackprop.checking.indexing import whole
from symbackprop.checking.readings import Note, Reading, Readings, squeezed
from symbackprop.checking.scope import Definition, Scope
from symbackprop.checking.spellings import (
    Scripts,
    is_letter,
    item_text,
    numbered,
    scripts_of,
    spelled,
    spellings,
    with_label,
)
from symbackprop.checking.step_kinds import said_of
from symbackprop.checking.truth import Values
from symbackprop.ir.expressions import Delta, Entry, Index
from symbackprop.ir.verdict import Equal
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import Accent, Name, Node, Script, bare

ON_DIAGONAL = Note("a matrix given by its diagonal is 0 elsewhere")


@dataclass(slots=True)
class Definitions:
    """The definitions of one document. ``introduced`` has where each symbol was defined, ``here``
    is where the statement at hand begins.
    """

    scope: Scope
    values: Values
    introduced: dict[Node, int] = field(default_factory=dict)
    here: int = -1

    def record(self, symbol: Node, found: Readings) -> None:
        symbol = with_label(symbol)
        self.introduced[bare(symbol)] = self.here
        scripts = numbered(scripts_of(symbol))
        free = {i.name for i in found[0].letters}
        pattern, letters = [], []
        for item in scripts.items:
            running = is_letter(item) and item_text(item) in free
            pattern.append("*" if running else item_text(item))
            if running:
                letters.append(item_text(item))
        letters, found = _diagonal(letters, found)
        if scripts.turned:
            found = tuple(replace(r, row=not r.row) for r in found)
        alias = self.unnamed(found[0])
        if alias:
            found = (whole(alias, self.scope),)
            self.scope.spoken[alias] = said_of(symbol, self.scope)
        shown = self.meaning(found[0]) or ("an inner quantity" if alias else "defined here")
        self.scope.patterns[spellings(scripts.base)[0], tuple(pattern)] = Definition(
            tuple(letters), found, True, shown
        )
        self.scope.tell(symbol, shown)

    def matching(self, found: Readings) -> Readings:
        """Of several readings of what is defined, that which is a gradient."""
        known = tuple(r for r in found if self.meaning(r)) if len(found) > 1 else ()
        return known[:1] or found

    def defining(self, found: Readings) -> Comparison:
        """What a definition says; where it is a gradient, that is evidence for its guesses."""
        name = self.meaning(found[0])
        left = replace(found[0], expr=Entry(name, *found[0].axes)) if name else found[0]
        return Comparison("proved", left, found[0])

    def meaning(self, r: Reading) -> str:
        """The gradient that a defined quantity is, if it is one."""
        for name in self.scope.gradients:
            shape = self.scope.shape(name)
            if (
                shape is not None
                and not r.letters
                and len(shape) == r.rank
                and tuple(shape) == r.shape
            ):
                if self.values.agree(r.expr, Entry(name, *r.axes)):
                    return name
        return ""

    def unnamed(self, r: Reading) -> str:
        """The quantity without a name that a defined symbol is, proved; its gradients are then
        those by the symbol.
        """
        if r.letters or r.guessed or isinstance(r.expr, Entry):
            return ""
        for name in self.scope.nameless:
            pair = fit(squeezed(r), squeezed(whole(name, self.scope)))
            if pair is not None and self.values.agree(pair[0].expr, pair[1].expr):
                found = self.values.decide(pair[0].expr, pair[1].expr, self.scope.program)
                if isinstance(found, Equal):
                    return name
        return ""

    def is_new(self, node: Node, statement: Statement) -> bool:
        """Whether a symbol is defined by this very statement; a later one is judged against it."""
        return definable(node) and self.introduced.get(bare(with_label(node))) == statement.start

    def defined_by(self, node: Node) -> Readings | None:
        scripts = numbered(scripts_of(with_label(node)))
        texts = tuple(item_text(i) for i in scripts.items)
        for (name, pattern), definition in self.scope.patterns.items():
            if definition.own and name == spellings(scripts.base)[0] and len(pattern) == len(texts):
                if all(p in ("*", t) for p, t in zip(pattern, texts, strict=True)):
                    return definition.readings
        return None


def _diagonal(letters: list[str], found: Readings) -> tuple[list[str], Readings]:
    """``S_{nn} = …``, which says what stands on the diagonal of S, as all of S."""
    if len(letters) != 2 or letters[0] != letters[1]:
        return letters, found
    out = []
    for r in found:
        (n,) = (i for i in r.letters if i.name == letters[0])
        other = Index(letters[0] + "'", n.extent)
        out.append(replace(r, expr=r.expr * Delta(n, other), notes=r.notes | {ON_DIAGONAL}))
    return [letters[0], letters[0] + "'"], tuple(out)


def symbol_of(node: Node) -> tuple[str, tuple[str, ...]]:
    """The spelling of a symbol and its scripts, whatever letters it runs over."""
    scripts = numbered(scripts_of(with_label(node)))
    base, items = spelled(scripts)
    return base, tuple(
        "*" if is_letter(i) else t for i, t in zip(scripts.items, items, strict=True)
    )


def definable(node: Node) -> bool:
    """Whether a side is a lone symbol, which a definition can introduce."""
    node = with_label(node)
    scripts: Scripts = numbered(scripts_of(node))
    if not isinstance(node, Name | Accent | Script) or not isinstance(scripts.base, Name | Accent):
        return False
    return (
        not scripts.powers
        and bool(spellings(scripts.base))
        and all(item_text(i) for i in scripts.items)
    )

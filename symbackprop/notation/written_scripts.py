"""The reader's rules for what stands below and above a symbol.

Subscripts are items between commas, letters side by side being one each; superscripts are a run of
layers in brackets, ``T``, primes and numbers, or else one expression. The grammar proper
(:mod:`symbackprop.notation.written_reader`) is built on this class and supplies the rest.
"""

from __future__ import annotations

from symbackprop.notation.token_cursor import Cursor
from symbackprop.notation.written import (
    Accent,
    Bracket,
    Juxt,
    Mark,
    Name,
    Node,
    Number,
    Script,
)


class ScriptReader(Cursor):
    """Scripts; what a script may hold is the grammar's to say."""

    def relation(self) -> Node:
        raise NotImplementedError

    def argument(self) -> Node:
        raise NotImplementedError

    def items(self, closing: str) -> tuple[Node, ...]:
        raise NotImplementedError

    def slot_follows(self) -> bool:
        raise NotImplementedError

    def scripted(self, base: Node) -> Node:
        subs: list[Node] = []
        sups: list[Node] = []
        while self.kind in ("SUB", "SUP", "PRIME"):
            t = self.next()
            if t.kind == "PRIME":
                sups.extend(Mark(t.start, t.end, "prime") for _ in t.text)
            elif t.kind == "SUB":
                subs.extend(self.script_items())
            else:
                sups.extend(self.superscripts())
        if not subs and not sups:
            return base
        return Script(base.start, self.last, base, tuple(subs), tuple(sups))

    def script_items(self) -> tuple[Node, ...]:
        """Subscripts: items between commas, letters side by side being one item each."""
        if self.kind != "LB":
            return (self.argument(),)
        self.next()
        items = self.items("RB")
        self.expect("RB", "", "a closing }")
        flat: list[Node] = []
        for item in items:
            flat.extend(
                item.factors
                if isinstance(item, Juxt) and all(map(_plain, item.factors))
                else (item,)
            )
        return tuple(flat)

    def superscripts(self) -> tuple[Node, ...]:
        r"""Superscripts: a run of ``(i)``, ``[l]``, ``T``, primes and numbers; otherwise one
        expression.
        """
        if self.kind != "LB":
            return (self.argument(),)
        self.next()
        items: list[Node] = []
        if self.kind == "OP" and self.token.text == "⊙" and not self.slot_follows():
            self.next()
        while self.kind == "PRIME":
            t = self.next()
            items.extend(Mark(t.start, t.end, "prime") for _ in t.text)
        if self.kind != "RB":
            inner = self.relation() if not self.slot_follows() else self.argument()
            if isinstance(inner, Script) and isinstance(inner.base, Bracket) and not inner.subs:
                parts: tuple[Node, ...] = (inner.base, *inner.sups)
            else:
                parts = inner.factors if isinstance(inner, Juxt) else (inner,)
            items.extend(parts if all(_mark_like(p) for p in parts) else (inner,))
        while self.kind == "PRIME":
            t = self.next()
            items.extend(Mark(t.start, t.end, "prime") for _ in t.text)
        self.expect("RB", "", "a closing }")
        return tuple(items)


def _plain(node: Node) -> bool:
    return isinstance(node, Name | Number | Accent | Mark) or (
        isinstance(node, Script) and isinstance(node.base, Name)
    )


def _mark_like(node: Node) -> bool:
    marks = isinstance(node, Mark) and node.text == "prime"
    return (
        marks or isinstance(node, Bracket | Number) or (isinstance(node, Name) and node.text == "T")
    )

r"""Index notation → LaTeX: entries, sums over indices, Kronecker deltas, derivatives not yet taken.

Takes an expression of ``ir.expressions``, gives LaTeX as in a textbook: indices count from 1, the
adjoint ``grad_Z[n,m]`` is ``\frac{\partial L}{\partial Z_{nm}}``, bound indices get the letter of
their extent. Refuses nothing in that language; another SymPy node is an internal error.

>>> from symbackprop.ir.expressions import Entry, Index, IndexSum, extent_symbol
>>> n, d = Index("n", extent_symbol("N")), Index("_b1_0_d", extent_symbol("D"))
>>> latex_entry(IndexSum(Entry("X", n, d) * Entry("w", d), d))
'\\sum_{d=1}^{D} X_{nd} w_{d}'
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import singledispatch

from sympy import Add, Basic, Expr, Mul, Pow, Rational, Symbol, expand, oo, pi
from sympy.core.numbers import Infinity, NegativeInfinity, NumberSymbol

from symbackprop.backends.latex.arithmetic import (
    exponent_text,
    write_power,
    write_product,
    write_sum,
)
from symbackprop.backends.latex.pieces import (
    ATOM,
    JUXTAPOSED,
    POWER,
    SUM,
    Piece,
    at_least,
    bracket,
    number,
)
from symbackprop.backends.latex.symbols import ADJOINT, Notation, function_name, spell_name
from symbackprop.ir.cholesky import FACTOR, INVERSE
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    InRange,
    MatrixFunction,
    Modulo,
    Partial,
    Series,
    Where,
    entry_names,
    free_indices,
)
from symbackprop.ir.letters import letters
from symbackprop.ir.matrix_functions import exponent

# fmt: off
RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\neq"}
_BIG = {IndexSum: r"\sum", IndexProduct: r"\prod"}
# fmt: on


def latex_entry(
    expr: Expr, notation: Notation | None = None, *, free: Collection[Index] = ()
) -> str:
    """LaTeX of an index expression; ``free`` are further indices whose letters are taken."""
    return entry_piece(expr, notation, free=free).text


def entry_piece(
    expr: Expr, notation: Notation | None = None, *, free: Collection[Index] = ()
) -> Piece:
    """As :func:`latex_entry`, with how tightly it binds."""
    known = notation or Notation()
    known = replace(known, names=known.names | entry_names(expr))
    writer = Writer(known, {}).naming(sorted(free_indices(expr) | set(free), key=_named_first))
    return writer(expr)


def _named_first(index: Index) -> tuple[bool, str]:
    """Indices that people named keep their letters; made ones take what is left."""
    return index.name.startswith("_"), index.name


@dataclass(frozen=True, slots=True)
class Writer:
    """What the rules need: the notation, and the letters of the indices in scope."""

    notation: Notation
    letter: Mapping[Index, str]

    def __call__(self, node: Basic) -> Piece:
        return write(node, self)

    def naming(self, indices: Collection[Index]) -> Writer:
        """A writer for the scope of further indices, no two in scope with one letter."""
        scope = dict(self.letter)
        extents = {s.name for i in (*scope, *indices) for s in i.extent.free_symbols}
        for index in indices:
            taken = {*scope.values(), *extents}
            name = index.name
            if name.startswith("_") or name in taken:
                name = letters((index.extent,), taken | self.notation.names)[0].name
            scope[index] = name
        return replace(self, letter=scope)

    def position(self, e: Expr) -> str:
        """An index expression where it stands as a subscript, counted from 1."""
        if isinstance(e, Index):
            return index_letter(self.letter[e])
        if isinstance(e, Entry):
            return self(e).text
        shown = {i: Symbol(self.letter[i]) - 1 for i in free_indices(e)}
        return self(expand(e.xreplace(shown)) + 1).text

    def positions(self, indices: Collection[Expr]) -> str:
        """Subscripts, run together where each is a letter."""
        texts = [self.position(i) for i in indices]
        return ("" if all(len(t.rstrip("'")) == 1 and t.isascii() for t in texts) else ",").join(
            texts
        )


def index_letter(name: str) -> str:
    """LaTeX of an index: ``n``, ``n'``, ``i_{1}``."""
    base = name.rstrip("'")
    return spell_name(base) + name[len(base) :]


@singledispatch
def write(node: Basic, writer: Writer) -> Piece:
    """The piece for a node; each kind of node registers its rule."""
    raise TypeError(f"index notation has no node {type(node).__name__}")


@write.register
def _(node: Rational, writer: Writer) -> Piece:
    return number(node)


@write.register(Infinity)
@write.register(NumberSymbol)
def _(node: Expr, writer: Writer) -> Piece:
    return Piece({pi: r"\pi", oo: r"\infty"}[node])


@write.register
def _(node: NegativeInfinity, writer: Writer) -> Piece:
    return Piece(r"-\infty", SUM)


@write.register
def _(node: Symbol, writer: Writer) -> Piece:
    return Piece(index_letter(node.name))


@write.register
def _(node: Index, writer: Writer) -> Piece:
    # An index as a number counts from 0; in print indices count from 1.
    return Piece(f"{index_letter(writer.letter[node])} - 1", SUM)


@write.register
def _(node: Entry, writer: Writer) -> Piece:
    if node.name.startswith(ADJOINT):
        inner = Entry(node.name.removeprefix(ADJOINT), *node.indices)
        return _derivative(writer.notation.name(writer.notation.of), inner, writer)
    name = writer.notation.name(node.name)
    if not node.indices:
        return Piece(name, POWER if node.name.endswith("]") else ATOM)
    base = bracket(name) if "_{" in name or r"\operatorname" in name else name
    level = POWER if node.name.endswith("]") and base == name else ATOM
    return Piece(f"{base}_{{{writer.positions(node.indices)}}}", level)


def _derivative(above: str, by: Entry, writer: Writer, sign: str = r"\partial") -> Piece:
    return Piece(rf"\frac{{{sign} {above}}}{{\partial {writer(by).text}}}", POWER)


@write.register
def _(node: MatrixFunction, writer: Writer) -> Piece:
    array = writer.notation.name(node.name)
    forms = {"det": rf"\det({array})", "logdet": rf"\log \lvert \det({array}) \rvert"}
    if node.function in forms:
        return Piece(forms[node.function])
    if node.function in (FACTOR, INVERSE):
        power = "" if node.function == FACTOR else "^{-1}"
        return Piece(
            rf"(\operatorname{{chol}}({array}){power})_{{{writer.positions(node.indices)}}}"
        )
    k = exponent(node.function) or -1
    return Piece(f"({array}^{{{k}}})_{{{writer.positions(node.indices)}}}")


@write.register
def _(node: Partial, writer: Writer) -> Piece:
    of, by = node.args
    assert isinstance(by, Entry), "a derivative is taken by an entry"
    if isinstance(of, Entry):
        sign = writer.notation.partial(of.name, by.name)
        return _derivative(writer(of).text, by, writer, sign)
    operator = rf"\frac{{\partial}}{{\partial {writer(by).text}}}"
    return Piece(rf"{operator} {at_least(writer(of), ATOM)}", JUXTAPOSED)


@write.register(IndexSum)
@write.register(IndexProduct)
def _(node: IndexSum | IndexProduct, writer: Writer) -> Piece:
    inner = writer.naming(node.bound)
    signs = "".join(
        f"{_BIG[type(node)]}_{{{index_letter(inner.letter[i])}=1}}^{{{inner(i.extent).text}}} "
        for i in node.bound
    )
    return Piece(signs + at_least(inner(node.body), JUXTAPOSED), JUXTAPOSED, open=True)


@write.register
def _(node: Series, writer: Writer) -> Piece:
    first, last = (writer(e).text for e in node.args[2:])
    sign = rf"\sum_{{{index_letter(node.letter)}={first}}}^{{{last}}} "
    return Piece(sign + at_least(writer(node.body), JUXTAPOSED), JUXTAPOSED, open=True)


@write.register
def _(node: IndexMax, writer: Writer) -> Piece:
    inner = writer.naming(node.bound)
    ranges = r",\, ".join(
        rf"1 \le {index_letter(inner.letter[i])} \le {inner(i.extent).text}" for i in node.bound
    )
    body = at_least(inner(node.body), JUXTAPOSED)
    return Piece(rf"\max_{{{ranges}}} {body}", JUXTAPOSED, open=True)


@write.register
def _(node: Delta, writer: Writer) -> Piece:
    a, b = (writer.position(i) for i in node.args)
    if _is_of_steps(node):
        texts = [writer(i).text for i in node.args]
        return Piece(rf"\delta_{{{('' if all(len(t) == 1 for t in texts) else ',').join(texts)}}}")
    if "delta" in writer.notation.names:
        return Piece(rf"\mathbf{{1}}[{a} = {b}]")
    return Piece(rf"\delta_{{{writer.positions(node.args)}}}")


def _is_of_steps(node: Delta) -> bool:
    """Whether a δ compares letters of steps, which count as they are written."""
    return not free_indices(node) and not all(s.is_positive for s in node.free_symbols)


@write.register
def _(node: InRange, writer: Writer) -> Piece:
    return Piece(
        rf"\mathbf{{1}}[1 \le {writer.position(node.args[0])} \le {writer(node.args[1]).text}]"
    )


@write.register
def _(node: FloorDiv, writer: Writer) -> Piece:
    a, b = (writer(i) for i in node.args)
    return Piece(rf"\lfloor {at_least(a, JUXTAPOSED)} / {at_least(b, ATOM)} \rfloor")


@write.register
def _(node: Modulo, writer: Writer) -> Piece:
    a, b = (writer(i) for i in node.args)
    return Piece(rf"{at_least(a, JUXTAPOSED)} \bmod {at_least(b, ATOM)}", SUM)


@write.register
def _(node: Compare, writer: Writer) -> Piece:
    return indicator(node.op, writer(node.args[1]), writer(node.args[2]))


def indicator(op: str, a: Piece, b: Piece) -> Piece:
    """1 where the relation holds, else 0."""
    return Piece(rf"\mathbf{{1}}[{a.text} {RELATIONS[op]} {b.text}]")


@write.register
def _(node: Where, writer: Writer) -> Piece:
    condition, a, b = node.args
    return cases(writer(a), writer(condition), writer(b))


def cases(a: Piece, condition: Piece, b: Piece) -> Piece:
    """A choice between two values; indicators as condition are written as the relations."""
    relation = condition.text
    if relation.startswith(r"\mathbf{1}[") and relation.endswith("]"):
        relation = relation[len(r"\mathbf{1}[") : -1]
        relation = re.sub(r"\] *\\mathbf\{1\}\[", r" \\text{ and } ", relation)
    rows = rf"{a.text} & \text{{if }} {relation} \\ {b.text} & \text{{otherwise}}"
    return Piece(rf"\begin{{cases}} {rows} \end{{cases}}", SUM)


@write.register
def _(node: Apply, writer: Writer) -> Piece:
    operands = [writer(u) for u in node.operands]
    if node.name == "exp" and "e" not in writer.notation.names:
        return Piece(f"e^{{{exponent_text(node.operands[0], writer)}}}", POWER)
    return call(node.name, operands)


def call(function: str, operands: list[Piece]) -> Piece:
    """A function at its operands; ``sqrt``, ``abs`` and ``step`` have signs of their own."""
    if function == "sqrt":
        return Piece(rf"\sqrt{{{operands[0].text}}}")
    if function == "abs":
        return Piece(rf"\lvert {operands[0].text} \rvert")
    if function == "step":
        return indicator(">", operands[0], Piece("0"))
    inside = ", ".join(p.text for p in operands)
    return Piece(f"{function_name(function)}{bracket(inside)}")


write.register(Add, write_sum)
write.register(Mul, write_product)
write.register(Pow, write_power)

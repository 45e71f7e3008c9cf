"""Index notation: the one core language.

A quantity is defined by its generic entry, a SymPy expression over the nodes of this file: entries
``X[n, d]``, sums and maxima over bound indices, Kronecker deltas, indicators and guards. SymPy's
``Add``, ``Mul`` and ``Pow`` serve; every *function* is an :class:`Apply` of ours, since SymPy's
``exp``, ``log`` and ``tanh`` rewrite themselves. Constructors check, they do not rewrite.
Substitution goes through :func:`substitute` alone: SymPy's ``xreplace`` knows no binders and
captures.

>>> N, D = extent_symbol("N"), extent_symbol("D")
>>> n, d = Index("n", N), Index("d", D)
>>> IndexSum(Entry("X", n, d) * Entry("w", d), d)
sum[d](w[d]*X[n,d])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sympy import Basic, Expr, Symbol, sympify

EMPTY: frozenset[Index] = frozenset()


def extent_symbol(name: str) -> Symbol:
    """The symbolic extent (a positive integer) called ``name``."""
    return Symbol(name, integer=True, positive=True)


class Index(Symbol):
    """An index that runs from 0 to ``extent - 1``. The extent lives on the index."""

    __slots__ = ("extent",)
    extent: Expr

    def __new__(cls, name: str, extent: Expr | int) -> Index:
        node = Symbol.__xnew__(cls, name)
        node.extent = sympify(extent)
        return node

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.name, self.extent), {}

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.name, self.extent)


class Node(Expr):
    """Base of our expression nodes: commutative, and opaque to SymPy's assumptions."""

    __slots__ = ()
    is_commutative = True
    is_number = False

    def _eval_derivative(self, s: Any) -> Any:
        raise TypeError("index notation is differentiated by symbackprop.calculus, not by SymPy")


class Entry(Node):
    """``name[i, j, …]``: one entry of an array; a scalar has no indices.

    An index may be an :class:`Index`, an affine expression of indices and extents, or an entry with
    integer values.
    """

    __slots__ = ()

    def __new__(cls, name: str | Symbol, *indices: Expr | int) -> Entry:
        symbol = name if isinstance(name, Symbol) else Symbol(name)
        return Expr.__new__(cls, symbol, *(sympify(i) for i in indices))

    @property
    def name(self) -> str:
        return self.args[0].name

    @property
    def indices(self) -> tuple[Expr, ...]:
        return self.args[1:]

    def _sympystr(self, printer: Any) -> str:
        return (
            f"{self.name}[{','.join(printer._print(i) for i in self.indices)}]"
            if self.indices
            else self.name
        )


class MatrixFunction(Node):
    """An entry of a function of a whole matrix: ``inv(A)[i, j]``, or the number ``det(A)``.

    The matrix is a named array, ``extent`` its rows and columns; such functions have no finite
    formula in entries (:mod:`symbackprop.ir.matrix_functions` has their values and derivatives).
    """

    __slots__ = ()

    def __new__(
        cls, function: str | Symbol, array: str | Symbol, extent: Expr | int, *indices: Expr | int
    ) -> MatrixFunction:
        symbols = (x if isinstance(x, Symbol) else Symbol(x) for x in (function, array))
        return Expr.__new__(cls, *symbols, sympify(extent), *(sympify(i) for i in indices))

    @property
    def function(self) -> str:
        return self.args[0].name

    @property
    def name(self) -> str:
        return self.args[1].name

    @property
    def extent(self) -> Expr:
        return self.args[2]

    @property
    def indices(self) -> tuple[Expr, ...]:
        return self.args[3:]

    def _sympystr(self, printer: Any) -> str:
        at = f"[{','.join(printer._print(i) for i in self.indices)}]" if self.indices else ""
        return f"{self.function}({self.name}){at}"


class Binder(Node):
    """A node that binds indices in its body."""

    __slots__ = ()
    word = ""

    def __new__(cls, body: Expr, *bound: Index) -> Binder:
        if (
            not bound
            or len(set(bound)) != len(bound)
            or not all(isinstance(i, Index) for i in bound)
        ):
            raise TypeError(f"{cls.__name__} binds one or more distinct indices, not {bound}")
        return Expr.__new__(cls, sympify(body), *bound)

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def bound(self) -> tuple[Index, ...]:
        return self.args[1:]

    def _sympystr(self, printer: Any) -> str:
        return f"{self.word}[{','.join(i.name for i in self.bound)}]({printer._print(self.body)})"


class IndexSum(Binder):
    """``Σ_{bound} body``, each index over its own extent."""

    __slots__ = ()
    word = "sum"


class IndexMax(Binder):
    """``max_{bound} body``."""

    __slots__ = ()
    word = "max"


class IndexProduct(Binder):
    """``Π_{bound} body``."""

    __slots__ = ()
    word = "prod"


class Delta(Node):
    """Kronecker's δ(a, b): 1 where the two indices agree, else 0."""

    __slots__ = ()

    def __new__(cls, a: Expr | int, b: Expr | int) -> Delta:
        return Expr.__new__(cls, sympify(a), sympify(b))

    def _sympystr(self, printer: Any) -> str:
        return f"eq({printer._print(self.args[0])},{printer._print(self.args[1])})"


class InRange(Node):
    """The guard ``[0 ≤ e < n]``: 1 where the affine index ``e`` is inside, else 0."""

    __slots__ = ()

    def __new__(cls, e: Expr | int, n: Expr | int) -> InRange:
        return Expr.__new__(cls, sympify(e), sympify(n))


class FloorDiv(Node):
    """``a // b`` of an affine index by a positive extent."""

    __slots__ = ()

    def __new__(cls, a: Expr | int, b: Expr | int) -> FloorDiv:
        return Expr.__new__(cls, sympify(a), sympify(b))

    def _sympystr(self, printer: Any) -> str:
        a, b = (printer._print(x) if x.is_Atom else f"({printer._print(x)})" for x in self.args)
        return f"({a}//{b})"


class Modulo(Node):
    """``a % b`` of an affine index by a positive extent."""

    __slots__ = ()

    def __new__(cls, a: Expr | int, b: Expr | int) -> Modulo:
        return Expr.__new__(cls, sympify(a), sympify(b))

    def _sympystr(self, printer: Any) -> str:
        a, b = (printer._print(x) if x.is_Atom else f"({printer._print(x)})" for x in self.args)
        return f"({a}%{b})"


class Compare(Node):
    """The indicator of ``a op b`` for ``op`` one of ``< <= > >= == !=``: 1 where it holds, else
    0.
    """

    __slots__ = ()
    OPERATORS = ("<", "<=", ">", ">=", "==", "!=")

    def __new__(cls, op: str | Symbol, a: Expr | int, b: Expr | int) -> Compare:
        symbol = op if isinstance(op, Symbol) else Symbol(op)
        if symbol.name not in cls.OPERATORS:
            raise TypeError(f"a comparison is one of {cls.OPERATORS}, not {symbol.name}")
        return Expr.__new__(cls, symbol, sympify(a), sympify(b))

    @property
    def op(self) -> str:
        return self.args[0].name

    def _sympystr(self, printer: Any) -> str:
        return f"({printer._print(self.args[1])} {self.op} {printer._print(self.args[2])})"


class Where(Node):
    """``a`` where the indicator ``c`` is 1, else ``b``. The branch not taken may be undefined."""

    __slots__ = ()

    def __new__(cls, c: Expr, a: Expr | int, b: Expr | int) -> Where:
        return Expr.__new__(cls, sympify(c), sympify(a), sympify(b))

    def _sympystr(self, printer: Any) -> str:
        return f"where({', '.join(printer._print(a) for a in self.args)})"


class Apply(Node):
    """``f(u, …)``: a scalar function, of the library or abstract, applied to entries."""

    __slots__ = ()

    def __new__(cls, name: str | Symbol, *operands: Expr | int) -> Apply:
        symbol = name if isinstance(name, Symbol) else Symbol(name)
        return Expr.__new__(cls, symbol, *(sympify(u) for u in operands))

    @property
    def name(self) -> str:
        return self.args[0].name

    @property
    def operands(self) -> tuple[Expr, ...]:
        return self.args[1:]

    def _sympystr(self, printer: Any) -> str:
        return f"{self.name}({', '.join(printer._print(a) for a in self.operands)})"


class Partial(Node):
    """``∂of/∂by``, both entries, not yet worked out: only in the steps of a derivation, never in a
    result.
    """

    __slots__ = ()

    def __new__(cls, of: Entry, by: Entry) -> Partial:
        return Expr.__new__(cls, of, by)

    def _sympystr(self, printer: Any) -> str:
        return f"d({printer._print(self.args[0])})/d({printer._print(self.args[1])})"


class Series(Node):
    """``Σ_{letter=first}^{last} body`` over members of families at the letter: how a sum over the
    places of a stack is shown, never part of an equation.
    """

    __slots__ = ()

    def __new__(cls, body: Expr, letter: Symbol, first: Expr, last: Expr) -> Series:
        return Expr.__new__(cls, body, letter, sympify(first), sympify(last))

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def letter(self) -> str:
        return self.args[1].name

    def _sympystr(self, printer: Any) -> str:
        _, letter, first, last = (printer._print(a) for a in self.args)
        return f"sum[{letter} in {first}..{last}]({printer._print(self.body)})"


@lru_cache(maxsize=1 << 17)
def free_indices(e: Basic) -> frozenset[Index]:
    """The indices that occur free in ``e``."""
    if isinstance(e, Index):
        return frozenset((e,))
    if not e.args:
        return EMPTY
    inside = (
        frozenset().union(*(free_indices(a) for a in e.args if a.args or isinstance(a, Index)))
        if e.args
        else EMPTY
    )
    return inside - frozenset(e.bound) if isinstance(e, Binder) else inside


@lru_cache(maxsize=1 << 17)
def entry_names(e: Basic) -> frozenset[str]:
    """The names of all arrays whose entries occur in ``e``."""
    if isinstance(e, Entry | MatrixFunction):
        return frozenset((e.name,)).union(*(entry_names(i) for i in e.indices))
    return frozenset().union(*(entry_names(a) for a in e.args)) if e.args else frozenset()


def entries(e: Basic) -> tuple[Entry, ...]:
    """The distinct entries in ``e``, in the order met."""
    found: dict[Entry, None] = {}

    def visit(x: Basic) -> None:
        if isinstance(x, Entry):
            found[x] = None
        for a in x.args:
            if a.args:
                visit(a)

    visit(e)
    return tuple(found)


def fresh_index(index: Index, taken: Iterable[Index]) -> Index:
    """An index of the same extent whose name none of ``taken`` bears."""
    names, name = {t.name for t in taken}, index.name
    while name in names:
        name += "'"
    return Index(name, index.extent)


def substitute(e: Expr, mapping: Mapping[Index, Expr]) -> Expr:
    """``e`` with free indices replaced, bound indices renamed where they would capture one."""
    mapping = {k: v for k, v in mapping.items() if k != v}
    return _substitute(e, mapping) if mapping else e


def _substitute(e: Expr, mapping: Mapping[Index, Expr]) -> Expr:
    if isinstance(e, Index):
        return mapping.get(e, e)
    hit = free_indices(e) & mapping.keys()
    if not hit:
        return e
    if isinstance(e, Binder):
        inner = {k: mapping[k] for k in hit}
        incoming: frozenset[Index] = frozenset().union(*(free_indices(v) for v in inner.values()))
        bound: list[Index] = []
        for b in e.bound:
            if any(b.name == i.name for i in incoming):
                renamed = fresh_index(
                    b, incoming | free_indices(e.body) | set(e.bound) | set(bound)
                )
                inner[b] = renamed
                b = renamed
            bound.append(b)
        return e.func(_substitute(e.body, inner), *bound)
    return e.func(*(_substitute(a, mapping) for a in e.args))

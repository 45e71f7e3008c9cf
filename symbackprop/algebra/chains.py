"""Sums over indices read as products of matrices: paths through a graph whose nodes are indices.

``Σ_k A[i,k] B[j,k]`` is the path ``A Bᵀ`` from i to j; a vector joins its index to the node 1, an
index that only one factor bears ends in a vector of ones. Beside the path from the first free index
to the second there may be numbers: paths from 1 to 1 (``uᵀ A v``), and closed ones (``tr A B``).
What is no product of matrices (an index that three factors bear) is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sympy import Expr, Integer, Mul, Pow

from symbackprop.algebra.context import Context
from symbackprop.algebra.words import Letter, Word, transposed, word_key
from symbackprop.ir.cholesky import FACTOR, INVERSE
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    Index,
    IndexSum,
    MatrixFunction,
    free_indices,
    substitute,
)
from symbackprop.ir.matrix_functions import exponent

ONE: Expr = Integer(1)
DETERMINANTS = ("det", "logdet")


class NotAProduct(Exception):
    """An expression that no product of matrices is."""


@dataclass(frozen=True, slots=True)
class Term:
    """``coefficient · numbers · closed paths · path``, and functions of numbers among them.

    ``left`` and ``right`` are the halves of a path through 1; ``right`` is None of one that does
    not meet it.
    """

    coefficient: Expr
    numbers: tuple[Word, ...]
    loops: tuple[Word, ...]
    left: Word
    right: Word | None
    functions: tuple[Expr, ...]


@dataclass(slots=True)
class Alphabet:
    """The letters of one identity: what they stand for is known to ``context``."""

    context: Context
    inverses: dict[str, Letter] = field(default_factory=dict)
    factors: dict[str, Letter] = field(default_factory=dict)
    divisors: dict[Expr, Letter] = field(default_factory=dict)

    def array(self, name: str, rows: Expr, columns: Expr) -> Letter:
        symmetric = rows == columns and self.context.knows(name, "symmetric")
        return Letter(name, rows, columns, symmetric=symmetric)

    def entry(self, e: Entry) -> tuple[Letter, Expr, Expr] | None:
        """The letter of an entry, and the nodes that it joins; None of a number."""
        extents = self.context.program.shape_of(e.name)
        nodes = []
        for i, extent in zip(e.indices, extents, strict=True):
            if extent != 1 and not (isinstance(i, Index) and i.extent == extent):
                raise NotAProduct
            nodes.append(ONE if extent == 1 else i)
        if len(nodes) > 2:
            raise NotAProduct
        if all(x == ONE for x in nodes):
            return None
        sizes = [*(Integer(1) if x == ONE else x.extent for x in nodes), ONE][:2]
        return self.array(e.name, *sizes), *[*nodes, ONE][:2]

    def function(self, e: MatrixFunction) -> Word:
        """The letters of an entry of a function of a matrix."""
        n = e.extent
        if e.function == "inv":
            base = self.array(e.name, n, n)
            inverse = Letter(f"inv({e.name})", n, n, symmetric=base.symmetric)
            return (self.inverses.setdefault(e.name, inverse),)
        if e.function in (FACTOR, INVERSE):
            name = "C" if e.function == FACTOR else "inv C"
            self.factors.setdefault(e.name, Letter(f"C({e.name})", n, n))
            return (Letter(f"{name}({e.name})", n, n),)
        power = exponent(e.function)
        if power is None:
            raise NotAProduct
        return (self.array(e.name, n, n),) * power

    def divisor(self, e: Expr) -> Letter:
        """The letter of ``1 / e``, a number."""
        letter = Letter(f"1/{len(self.divisors)}", ONE, ONE, symmetric=True)
        return self.divisors.setdefault(e, letter)


@dataclass(slots=True)
class _Graph:
    """The factors of one product: words between nodes, and what stands beside them."""

    alphabet: Alphabet
    edges: list[tuple[Word, Expr, Expr]] = field(default_factory=list)
    coefficient: Expr = ONE
    bound: list[Index] = field(default_factory=list)
    numbers: list[Word] = field(default_factory=list)
    functions: list[Expr] = field(default_factory=list)

    def put(self, factor: Expr) -> None:
        """Enter a factor."""
        if isinstance(factor, IndexSum):
            fresh = {i: Index(f"_s{len(self.bound) + k}", i.extent)
                     for k, i in enumerate(factor.bound)}  # fmt: skip
            self.bound += fresh.values()
            for f in Mul.make_args(substitute(factor.body, fresh)):
                self.put(f)
        elif isinstance(factor, Entry):
            found = self.alphabet.entry(factor)
            if found is None:
                self.coefficient *= factor
            else:
                self.edges.append(((found[0],), found[1], found[2]))
        elif isinstance(factor, MatrixFunction) and factor.indices:
            if not all(isinstance(i, Index) and i.extent == factor.extent for i in factor.indices):
                raise NotAProduct
            self.edges.append((self.alphabet.function(factor), *factor.indices))
        elif isinstance(factor, Delta) and _is_square(*factor.args):
            self.edges.append(((), *factor.args))
        elif isinstance(factor, Pow) and factor.exp.is_Integer:
            self._power(factor.base, int(factor.exp))
        elif _is_scale(factor):
            self.coefficient *= factor
        elif isinstance(factor, MatrixFunction) and factor.function in DETERMINANTS:
            self.functions.append(factor)
        else:
            raise NotAProduct

    def _power(self, base: Expr, times: int) -> None:
        if _is_scale(base):
            self.coefficient *= Pow(base, times)
        elif isinstance(base, MatrixFunction) and base.function == "det":
            self.functions.append(Pow(base, times))
        elif times > 0:
            for _ in range(times):
                self.put(base)
        elif free_indices(base):
            raise NotAProduct
        else:
            self.numbers += [(self.alphabet.divisor(base),)] * -times


def _is_square(i: Expr, j: Expr) -> bool:
    """Whether δ(i, j) is an entry of the identity matrix."""
    return isinstance(i, Index) and isinstance(j, Index) and i.extent == j.extent


def _is_scale(e: Expr) -> bool:
    """Whether ``e`` is a number in which no array and no matrix function stands."""
    if isinstance(e, Entry):
        return not e.indices
    if isinstance(e, IndexSum | MatrixFunction | Delta | Index):
        return False
    return all(_is_scale(a) for a in e.args)


def term_of(e: Expr, free: tuple[Index, ...], alphabet: Alphabet) -> Term:
    """One product as paths from the first of ``free`` to the second, or to 1.

    Raises
    ------
    NotAProduct
        If it is no product of matrices.
    """
    graph = _Graph(alphabet)
    for factor in Mul.make_args(e):
        graph.put(factor)
    edges = list(graph.edges)
    for i in (*graph.bound, *free):
        ends = sum((a == i) + (b == i) for _, a, b in edges)
        wanted = 1 if i in free else 2
        if ends == 0 and i not in free:
            graph.coefficient *= i.extent
        elif ends == wanted - 1:
            edges.append(((Letter(f"ones {i.extent}", i.extent, ONE),), i, ONE))
        elif ends != wanted:
            raise NotAProduct
    left: Word = ()
    right: Word | None = None
    if free:
        left, end = _walk(edges, free[0])
        if len(free) == 2 and end == ONE:
            half, end = _walk(edges, free[1])
            right = transposed(half)
        if end != (ONE if len(free) == 1 or right is not None else free[1]):
            raise NotAProduct
    numbers = [*graph.numbers, *_paths(edges, lambda e: ONE in e[1:])]
    numbers = sorted((min(w, transposed(w), key=word_key) for w in numbers), key=word_key)
    loops = sorted((least_rotation(w) for w in _paths(edges, lambda e: True)), key=word_key)
    return Term(
        graph.coefficient, tuple(numbers), tuple(loops), left, right, tuple(graph.functions)
    )


Edge = tuple[Word, Expr, Expr]


def _walk(edges: list[Edge], start: Expr) -> tuple[Word, Expr]:
    """The word from ``start`` on, until no edge goes on or 1 is met; edges passed are removed."""
    word: Word = ()
    at = start
    while True:
        following = next((e for e in edges if at in e[1:]), None)
        if following is None:
            return word, at
        edges.remove(following)
        own, a, b = following
        word, at = (word + own, b) if a == at else (word + transposed(own), a)
        if at in (ONE, start):
            return word, at


def _paths(edges: list[Edge], starts: Callable[[Edge], bool]) -> Iterator[Word]:
    """The words of the paths that begin where an edge ``starts`` one."""
    while True:
        first = next((e for e in edges if starts(e)), None)
        if first is None:
            return
        yield _walk(edges, ONE if ONE in first[1:] else first[1])[0]


def least_rotation(word: Word) -> Word:
    """The least of the words that a closed path may be read as."""
    around = [word[k:] + word[:k] for k in range(max(len(word), 1))]
    return min((*around, *map(transposed, around)), key=word_key)

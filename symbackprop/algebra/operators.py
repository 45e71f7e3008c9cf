"""Identities between products, sums and inverses of matrices: Woodbury, push-through, Cholesky.

Each inverse is a letter ``Z`` with ``M Z = Z M = 1`` for what it is the inverse of, each factor of
Cholesky one with ``C Cᵀ = (A + Aᵀ) / 2``, the reciprocal of a number one of extent 1. An identity
is proved when the difference of its sides is rewritten to 0 by what follows from these equations:
they hold wherever both sides are defined. Words are compared in order, so the proof holds for all
sizes; numbers (``uᵀ A v``, traces) commute and may turn round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sympy import Add, Expr, Integer, Mul, Symbol

from symbackprop.algebra.chains import (
    ONE,
    Alphabet,
    NotAProduct,
    Term,
    least_rotation,
    term_of,
)
from symbackprop.algebra.context import Context
from symbackprop.algebra.determinants import Determinant, Determinants
from symbackprop.algebra.expand import expand
from symbackprop.algebra.knowledge import inline_in_turn
from symbackprop.algebra.words import (
    Letter,
    Polynomial,
    Rules,
    Word,
    added,
    letters_of,
    multiplied,
    simplified,
    transposed,
    turned,
    word_key,
)
from symbackprop.ir.expressions import Entry, Index, MatrixFunction, free_indices

# Closed paths, a number beside the path, and the path.
Monomial = tuple[tuple[Word, ...], Word, Word]
Sum = Mapping[Monomial, Expr]
MOST_FREE = 2
MOST_WORK = 8_000  # words looked at: about a second


def vanishes_by_inverses(difference: Expr, context: Context) -> bool:
    """Whether ``difference`` is 0 by what inverses, factors and determinants are."""
    free = tuple(sorted(free_indices(difference), key=lambda i: i.name))
    written = _written_out(difference, context)
    if len(free) > MOST_FREE or not written.has(MatrixFunction):
        return False
    try:
        return _Identity(context).holds(written, free)
    except NotAProduct:
        return False
    except _Enough:
        context.cut = True
        return False


class _Enough(Exception):
    """The work that may go into one identity is done."""


@dataclass(slots=True)
class _Identity:
    """One identity, its letters, and what is known of them."""

    context: Context
    alphabet: Alphabet = field(init=False)
    rules: Rules = field(init=False)
    defined: dict[str, dict[Word, Expr]] = field(default_factory=dict)
    work: int = 0

    def __post_init__(self) -> None:
        self.alphabet = Alphabet(self.context)
        self.rules = Rules(self._spend)

    def _spend(self, steps: int) -> None:
        self.work += steps
        self.context.spend(steps)
        if self.work > MOST_WORK:
            raise _Enough

    def holds(self, difference: Expr, free: tuple[Index, ...]) -> bool:
        terms = self._terms(difference, free)
        for function in dict.fromkeys(f for t in terms for f in t.functions):
            for part in function.atoms(MatrixFunction):
                self._matrix(part.name, part.extent)
        self._suppose(letters_of({t.left + (t.right or ()): ONE} for t in terms))
        plain = not any(t.functions for t in terms)
        if plain and not self._reduced(self._sum(terms)):
            return True
        for _ in self.rules.complete():
            if plain and not self._reduced(self._sum(terms)):
                return True
        return not plain and not self._reduced(self._sum(terms))

    # What letters stand for

    def _terms(self, e: Expr, free: tuple[Index, ...]) -> list[Term]:
        summands = Add.make_args(expand(_written_out(e, self.context), self.context))
        return [term_of(t, free, self.alphabet) for t in summands if t != 0]

    def _matrix(self, name: str, extent: Expr) -> dict[Word, Expr]:
        """A square matrix by those that it is defined by; by its own letter where it is none of
        their sums of products.
        """
        if name not in self.defined:
            i, j = Index("_i", extent), Index("_j", extent)
            own = self.alphabet.array(name, extent, extent)
            try:
                found = self._polynomial(self._terms(Entry(name, i, j), (i, j)))
            except NotAProduct:
                found = {(own,): ONE}
            self.defined[name] = found
        return self.defined[name]

    def _polynomial(self, terms: Iterable[Term]) -> dict[Word, Expr]:
        """A sum of words; numbers beside them count as coefficients."""
        out = []
        for t in terms:
            if t.functions:
                raise NotAProduct
            word = t.left if t.right is None else _joined(t)
            beside = (*t.loops, *(t.numbers if t.right is None else ()))
            scale = Mul(*(Symbol(str([x.key for x in w])) for w in beside))
            out.append(({word: t.coefficient}, scale))
        return added(*out)

    def _number(self, terms: Iterable[Term]) -> dict[Word, Expr]:
        """A number as a polynomial of extent 1."""
        out = []
        for t in terms:
            if t.functions or t.loops:
                raise NotAProduct
            out.append(({_joined(t): t.coefficient}, ONE))
        return added(*out)

    def _suppose(self, met: frozenset[Letter]) -> None:
        """Enter what is known of all letters, and of those that this brings in."""
        done: set[object] = set()
        while True:
            work = [
                *(("inverse", x) for x in self.alphabet.inverses),
                *(("factor", x) for x in self.alphabet.factors),
                *(("divisor", x) for x in self.alphabet.divisors),
            ]
            work = [x for x in work if x not in done]
            if not work:
                break
            done.update(work)
            for kind, key in work:
                for equation in self._equations(kind, key):
                    self._take(equation)
        for letter in sorted(met | letters_of(self.defined.values()), key=lambda x: x.key):
            if not letter.turned and self.context.knows(letter.name, "orthogonal"):
                for equation in _inverse_pair({(letter,): ONE}, {(letter.transposed(),): ONE}):
                    self._take(equation)

    def _take(self, equation: Polynomial) -> None:
        self.rules.suppose(equation)
        self.rules.suppose(turned(equation))

    def _equations(self, kind: str, key: object) -> Iterator[Polynomial]:
        if kind == "inverse":
            assert isinstance(key, str), "an inverse goes by the name of its matrix"
            letter = self.alphabet.inverses[key]
            yield from _inverse_pair(self._matrix(key, letter.rows), {(letter,): ONE})
        elif kind == "factor":
            assert isinstance(key, str), "a factor goes by the name of its matrix"
            letter = self.alphabet.factors[key]
            matrix = self._matrix(key, letter.rows)
            half = Integer(1) / 2
            square: Polynomial = {(letter, letter.transposed()): ONE}
            yield added((square, ONE), (matrix, -half), (turned(matrix), -half))
            inverse = Letter(f"inv {letter.name}", letter.rows, letter.columns)
            yield from _inverse_pair({(letter,): ONE}, {(inverse,): ONE})
        else:
            assert isinstance(key, Expr), "a divisor goes by what it divides by"
            number = self._number(self._terms(key, ()))
            yield from _inverse_pair(number, {(self.alphabet.divisors[key],): ONE})

    # The difference

    def _sum(self, terms: Iterable[Term]) -> dict[Monomial, Expr]:
        """The terms with their determinants worked out."""
        out: dict[Monomial, Expr] = {}
        for t in terms:
            scale, numbers = self._functions(t)
            for beside, c in numbers.items():
                beside = _in_order(beside + sum(t.numbers, ()))
                if t.right is None:
                    key = (t.loops, beside, t.left)
                else:
                    key = (t.loops, (), t.left + beside + t.right)
                _collect(out, key, c * scale * t.coefficient)
        return out

    def _functions(self, t: Term) -> tuple[Expr, dict[Word, Expr]]:
        """The functions of a term: a coefficient, and a polynomial of extent 1."""
        scale: Expr = ONE
        numbers: dict[Word, Expr] = {(): ONE}
        for f in t.functions:
            base, power = f.as_base_exp()
            found = self._determinant(base)
            if base.function == "logdet":
                scale *= _logarithm(found)
                continue
            if found.numbers and power < 0:
                raise NotAProduct
            scale *= found.scale**power * Mul(*(a ** (k * power) for a, k in found.atoms.items()))
            for number in found.numbers * power if power > 0 else ():
                numbers = multiplied(numbers, number)
        return scale, numbers

    def _determinant(self, e: MatrixFunction) -> Determinant:
        inverses: dict[Letter, Letter] = {}
        defined = {}
        for name, letter in self.alphabet.inverses.items():
            matrix = self.defined[name]
            defined[letter.name] = matrix
            if len(matrix) == 1:
                ((word, coefficient),) = matrix.items()
                if len(word) == 1 and coefficient == 1:
                    inverses[word[0]], inverses[letter] = letter, word[0]
        work = Determinants(self.rules, inverses, defined, self.alphabet.factors)
        return work.of(self.defined[e.name], e.extent)

    def _reduced(self, total: Sum) -> dict[Monomial, Expr]:
        """The sum with every word rewritten."""
        out: dict[Monomial, Expr] = {}
        for (loops, beside, word), coefficient in total.items():
            closed: dict[tuple[Word, ...], Expr] = {(): ONE}
            for loop in loops:
                closed = {
                    tuple(sorted((*a, *b), key=word_key)): p * q
                    for a, p in closed.items()
                    for b, q in self._loop(loop).items()
                }
            numbers = self.rules.reduced({beside: ONE})
            words = self.rules.reduced({word: ONE})
            for a, p in closed.items():
                for b, q in numbers.items():
                    for w, r in words.items():
                        key = (a, _in_order(b), _in_order(w))
                        _collect(out, key, coefficient * p * q * r)
        return out

    def _loop(self, loop: Word) -> dict[tuple[Word, ...], Expr]:
        """A closed path rewritten from wherever a rule applies."""
        done: dict[tuple[Word, ...], Expr] = {}
        todo: dict[Word, Expr] = {loop: ONE}
        while todo:
            word, coefficient = todo.popitem()
            for k in range(len(word)):
                around = word[k:] + word[:k]
                found = self.rules.rewritten(around)
                if found is None:
                    continue
                for w, c in found.items():
                    if w:
                        least = least_rotation(w)
                        todo[least] = todo.get(least, Integer(0)) + coefficient * c
                    else:
                        done[()] = done.get((), Integer(0)) + coefficient * c * around[0].rows
                break
            else:
                done[(word,)] = done.get((word,), Integer(0)) + coefficient
        return done


def _written_out(e: Expr, context: Context) -> Expr:
    """``e`` in inputs and functions of matrices alone."""
    return inline_in_turn(e, reversed(context.program.equations))


def _inverse_pair(matrix: Polynomial, inverse: Polynomial) -> tuple[Polynomial, Polynomial]:
    """``M Z - 1`` and ``Z M - 1``."""
    unit: Polynomial = {(): Integer(-1)}
    return (
        added((multiplied(matrix, inverse), ONE), (unit, ONE)),
        added((multiplied(inverse, matrix), ONE), (unit, ONE)),
    )


def _joined(t: Term) -> Word:
    """The numbers of a term between the halves of its path."""
    return t.left + sum(t.numbers, ()) + (t.right or ())


def _in_order(word: Word) -> Word:
    """Numbers along a path commute and are their own transposes: the least come first."""
    cuts = [k for k in range(1, len(word)) if word[k].rows == 1]
    if not word or not cuts:
        return min(word, transposed(word), key=word_key) if _is_number(word) else word
    pieces = [word[a:b] for a, b in zip([0, *cuts], [*cuts, len(word)], strict=True)]
    numbers = [min(p, transposed(p), key=word_key) for p in pieces if _is_number(p)]
    first = () if _is_number(pieces[0]) else pieces[0]
    last = () if _is_number(pieces[-1]) else pieces[-1]
    return first + sum(sorted(numbers, key=word_key), ()) + last


def _is_number(word: Word) -> bool:
    return bool(word) and word[0].rows == 1 and word[-1].columns == 1


def _logarithm(found: Determinant) -> Expr:
    """``log|det|`` by those of its factors."""
    if found.scale not in (1, -1):
        raise NotAProduct
    parts = [k * Symbol(f"log {a.name}") for a, k in found.atoms.items()]
    keys = (sorted(((word_key(w), str(c)) for w, c in p.items())) for p in found.numbers)
    return Add(*parts, *(Symbol(f"log {key}") for key in keys))


def _collect(out: dict[Monomial, Expr], key: Monomial, value: Expr) -> None:
    total = simplified(out.get(key, Integer(0)) + value)
    if total == 0:
        out.pop(key, None)
    else:
        out[key] = total

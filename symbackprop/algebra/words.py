"""Noncommutative polynomials, and what follows from equations between them.

A word is a product of letters (matrices, their transposes, inverses) in order, a polynomial a sum
of words with coefficients. :class:`Rules` completes equations ``p = 0`` to rewriting rules for the
longest words, as Buchberger and Mora do for ideals of the free algebra (Mora, Groebner bases for
noncommutative polynomial rings, 1986): the remainder of an overlap of two rules is a new rule.
There may be no end to it, so the work is bounded; what is rewritten to 0 follows from the equations
in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heappop, heappush

from sympy import Expr, Integer, cancel, powsimp

LONGEST = 12  # letters of a word that a rule may rewrite
MOST_RULES = 80


@dataclass(frozen=True, slots=True)
class Letter:
    """A matrix of the given extents, or the transpose (``turned``) of the one of this name."""

    name: str
    rows: Expr
    columns: Expr
    turned: bool = False
    symmetric: bool = False

    def transposed(self) -> Letter:
        if self.symmetric:
            return self
        return Letter(self.name, self.columns, self.rows, not self.turned)

    @property
    def key(self) -> tuple[str, bool]:
        return self.name, self.turned


Word = tuple[Letter, ...]
Polynomial = Mapping[Word, Expr]


@lru_cache(maxsize=1 << 14)
def word_key(word: Word) -> tuple[int, tuple[tuple[str, bool], ...]]:
    """Shorter words come first, among equally long ones those of the lesser letters."""
    return len(word), tuple(x.key for x in word)


def transposed(word: Word) -> Word:
    return tuple(x.transposed() for x in reversed(word))


def simplified(coefficient: Expr) -> Expr:
    """A coefficient in a form that shows whether it is 0."""
    return coefficient if coefficient.is_Rational else cancel(powsimp(coefficient))


def added(*parts: tuple[Polynomial, Expr]) -> dict[Word, Expr]:
    """The sum of polynomials, each with a coefficient."""
    out: dict[Word, Expr] = {}
    for polynomial, coefficient in parts:
        for word, c in polynomial.items():
            total = out.get(word, Integer(0)) + c * coefficient
            out[word] = simplified(total)
    return {word: c for word, c in out.items() if c != 0}


def multiplied(left: Polynomial, right: Polynomial) -> dict[Word, Expr]:
    """The product, in order."""
    return added(*(({a + b: p * q}, Integer(1)) for a, p in left.items() for b, q in right.items()))


def turned(polynomial: Polynomial) -> dict[Word, Expr]:
    """The transpose."""
    return added(*(({transposed(w): c}, Integer(1)) for w, c in polynomial.items()))


@dataclass(slots=True)
class Rules:
    """Rules ``word → polynomial``; ``spend`` counts the work and may stop it."""

    spend: Callable[[int], None]
    tails: dict[Word, dict[Word, Expr]] = field(default_factory=dict)
    _pending: list[tuple[int, int, Polynomial]] = field(default_factory=list)
    _met: int = 0

    def suppose(self, equation: Polynomial) -> None:
        """Take ``equation = 0`` for true from the next :meth:`complete` on."""
        self._met += 1
        longest = max((len(w) for w in equation), default=0)
        heappush(self._pending, (longest, self._met, equation))

    def complete(self) -> Iterator[None]:
        """Derive rules, a pause after each, until nothing new follows or enough is known."""
        while self._pending and len(self.tails) < MOST_RULES:
            _, _, equation = heappop(self._pending)
            if self._learn(self.reduced(equation)):
                yield

    def _learn(self, equation: dict[Word, Expr]) -> bool:
        if not equation:
            return False
        lead = max(equation, key=word_key)
        coefficient = equation[lead]
        if not coefficient.is_Rational or not 0 < len(lead) <= LONGEST:
            return False  # a coefficient that may vanish cannot be divided by
        for old in [w for w in self.tails if _holds(w, lead)]:
            self.suppose(added(({old: Integer(1)}, Integer(1)), (self.tails.pop(old), Integer(-1))))
        rest = {w: c for w, c in equation.items() if w != lead}
        self.tails[lead] = added((rest, -1 / coefficient))
        for other in tuple(self.tails):
            for overlap in (*self._overlaps(lead, other), *self._overlaps(other, lead)):
                self.suppose(overlap)
        return True

    def _overlaps(self, first: Word, second: Word) -> Iterator[dict[Word, Expr]]:
        """What both rules make of a word that ends as ``second`` begins."""
        for k in range(1, min(len(first), len(second))):
            if first[-k:] == second[:k] and len(first) + len(second) - k <= LONGEST:
                self.spend(1)
                yield added(
                    (_between((), self.tails[first], second[k:]), Integer(1)),
                    (_between(first[:-k], self.tails[second], ()), Integer(-1)),
                )

    def reduced(self, polynomial: Polynomial) -> dict[Word, Expr]:
        """The polynomial with rules applied until none applies."""
        done: dict[Word, Expr] = {}
        todo = dict(polynomial)
        while todo:
            word, coefficient = todo.popitem()
            found = self.rewritten(word)
            if found is None:
                done[word] = done.get(word, Integer(0)) + coefficient
            else:
                todo = added((todo, Integer(1)), (found, coefficient))
        return added((done, Integer(1)))

    def rewritten(self, word: Word) -> dict[Word, Expr] | None:
        """``word`` with one rule applied once; None if none applies."""
        self.spend(1)
        lengths = {len(lead) for lead in self.tails}
        for start in range(len(word)):
            for n in lengths:
                tail = self.tails.get(word[start : start + n])
                if tail is not None:
                    return _between(word[:start], tail, word[start + n :])
        return None


def _between(before: Word, polynomial: Polynomial, after: Word) -> dict[Word, Expr]:
    return {before + w + after: c for w, c in polynomial.items()}


def _holds(word: Word, part: Word) -> bool:
    """Whether ``part`` stands in ``word``."""
    n = len(part)
    return any(word[k : k + n] == part for k in range(len(word) - n + 1))


def letters_of(polynomials: Iterable[Polynomial]) -> frozenset[Letter]:
    """All letters that occur."""
    return frozenset(x for p in polynomials for w in p for x in w)

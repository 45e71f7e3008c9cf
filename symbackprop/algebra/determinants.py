"""Determinants of polynomials in matrices, by laws that hold for all sizes.

* ``det(1 + P Q) = det(1 + Q P)`` (Sylvester), so that the smaller side is taken
* ``det(X + R) = det(X) det(1 + X⁻¹ R)`` where X⁻¹ is about
* ``det(A B) = det(A) det(B)`` of square factors, ``det(Aᵀ) = det(A)``, ``det(C)² = det(C Cᵀ)``
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Integer, Symbol

from symbackprop.algebra.words import (
    Letter,
    Polynomial,
    Rules,
    Word,
    added,
    multiplied,
    turned,
    word_key,
)

ONE = Integer(1)
MOST_ROTATIONS = 24


@dataclass(slots=True)
class Determinant:
    """``scale · Π atoms^exponent · Π numbers``: atoms are determinants that nothing is known of,
    numbers are polynomials of extent 1.
    """

    scale: Expr = ONE
    atoms: dict[Symbol, int] = field(default_factory=dict)
    numbers: list[dict[Word, Expr]] = field(default_factory=list)

    def times(self, other: Determinant, power: int = 1) -> None:
        """Multiply by a power of another one without numbers, or by its first power."""
        self.scale *= other.scale**power
        for atom, k in other.atoms.items():
            self.atoms[atom] = self.atoms.get(atom, 0) + power * k
        self.numbers += other.numbers


@dataclass(frozen=True, slots=True)
class Determinants:
    """What is needed to take determinants apart.

    ``inverses`` maps a letter to the letter of its inverse, ``defined`` an inverse's name to what
    it is the inverse of, ``factors`` the name of a matrix to its factor of Cholesky.
    """

    rules: Rules
    inverses: dict[Letter, Letter]
    defined: dict[str, dict[Word, Expr]]
    factors: dict[str, Letter]

    def of(self, polynomial: Polynomial, extent: Expr) -> Determinant:
        """The determinant of a square matrix of this extent."""
        p = self.rules.reduced(polynomial)
        if extent == 1:
            return Determinant(numbers=[p])
        if len(p) == 1:
            ((word, coefficient),) = p.items()
            return self._word(word, coefficient, extent)
        unit = p.get(())
        if unit is not None:
            rest = added(({w: c for w, c in p.items() if w}, 1 / unit))
            out = self._one_plus(rest, extent)
            out.scale *= unit**extent
            return out
        for word in sorted(p, key=word_key):
            inverse = self.inverses.get(word[0]) if len(word) == 1 else None
            if inverse is not None:
                rest = {w: c for w, c in p.items() if w != word}
                after = multiplied({(inverse,): 1 / p[word]}, rest)
                out = self._one_plus(self.rules.reduced(after), extent)
                out.times(self._word(word, p[word], extent))
                return out
        return Determinant(atoms={_atom(p): 1})

    def _word(self, word: Word, coefficient: Expr, extent: Expr) -> Determinant:
        out = Determinant(scale=coefficient**extent)
        if any(x.rows != extent or x.columns != extent for x in word):
            out.atoms = {_atom({word: ONE}): 1}
            return out
        for letter in word:
            out.times(*self._letter(letter, extent))
        return out

    def _letter(self, letter: Letter, extent: Expr) -> tuple[Determinant, int]:
        base = self.defined.get(letter.name)
        if base is not None:
            found = self.of(base, extent)
            return (found, -1) if not found.numbers else (_unknown(letter), 1)
        factor = self.factors.get(letter.name)
        return (_unknown(letter), 1) if factor is None else (_unknown(factor), 2)

    def _one_plus(self, rest: dict[Word, Expr], extent: Expr) -> Determinant:
        """``det(1 + rest)``: the least of its rotations and transposes stands for it."""
        found = {_spelling(rest): (rest, extent)}
        waiting = [(rest, extent)]
        while waiting and len(found) < MOST_ROTATIONS:
            p, n = waiting.pop()
            around = [(turned(p), n)]
            first, last = {w[0] for w in p}, {w[-1] for w in p}
            if len(first) == 1:
                (x,) = first
                around.append(({(*w[1:], x): c for w, c in p.items()}, x.columns))
            if len(last) == 1:
                (x,) = last
                around.append(({(x, *w[:-1]): c for w, c in p.items()}, x.rows))
            for q, m in around:
                reduced = self.rules.reduced(q)
                key = _spelling(reduced)
                if () not in reduced and reduced and key not in found:
                    found[key] = reduced, m
                    waiting.append((reduced, m))
        for p, n in found.values():
            if n == 1:
                return Determinant(numbers=[added((p, ONE), ({(): ONE}, ONE))])
        return Determinant(atoms={Symbol(f"det(1 + {min(found)})"): 1})


def _unknown(letter: Letter) -> Determinant:
    return Determinant(atoms={Symbol(f"det({letter.name})"): 1})


def _spelling(p: Polynomial) -> str:
    """A text that is the same for equal polynomials alone."""
    parts = sorted(p.items(), key=lambda item: word_key(item[0]))
    return " + ".join(f"{c} {[x.key for x in w]}" for w, c in parts)


def _atom(p: dict[Word, Expr]) -> Symbol:
    return Symbol(f"det({min(_spelling(p), _spelling(turned(p)))})")

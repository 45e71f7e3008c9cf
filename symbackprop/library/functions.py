"""The rows of the library as rules of the core: definitions and slopes parsed once, when first
asked for.

>>> RULES["sigmoid"].slopes[0]
(1 - sigmoid(z))*sigmoid(z)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from sympy import Expr, Rational

from symbackprop.ir.functions import ALPHA, FunctionRule, Z
from symbackprop.library.activations import ACTIVATIONS, EXP_FORMS
from symbackprop.notation.elaborate import Scope, elaborate_entry
from symbackprop.notation.text_reader import read_expression

PLACEHOLDERS: Mapping[str, Any] = {"z": Z, "alpha": ALPHA}


def formula(text: str) -> Expr:
    """A scalar formula of the library as an expression in the placeholders ``Z`` and ``ALPHA``."""
    return elaborate_entry(read_expression(text, "<library>"), Scope(indices=PLACEHOLDERS))


class _Rows(Mapping[str, Any]):
    """A table whose rows are parsed when they are first looked up."""

    def __init__(self, rows: Mapping[str, Any], parse: Any) -> None:
        self._rows, self._parse = rows, lru_cache(maxsize=None)(lambda name: parse(rows[name]))

    def __getitem__(self, name: str) -> Any:
        if name not in self._rows:
            raise KeyError(name)
        return self._parse(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _rule(row: Any) -> FunctionRule:
    return FunctionRule(
        row.name,
        (Z, ALPHA)[: len(row.slopes)],
        formula(row.definition),
        tuple(formula(slope) for slope in row.slopes),
        tuple(Rational(d) for d in row.defaults),
        row.sign,
        row.at_zero,
    )


RULES: Mapping[str, FunctionRule] = _Rows({row.name: row for row in ACTIVATIONS}, _rule)
exp_forms: Mapping[str, Expr] = _Rows(EXP_FORMS, formula)

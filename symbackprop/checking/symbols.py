"""The symbol map: what symbols of a document stand for, given by the user in the model language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.checking.functions import rule_of
from symbackprop.checking.operations import transpose
from symbackprop.checking.phrases import decorations, is_phrase
from symbackprop.checking.read import read
from symbackprop.checking.readings import Unreadable
from symbackprop.checking.scope import Definition, Scope
from symbackprop.checking.spellings import (
    is_letter,
    item_text,
    numbered,
    scripts_of,
    spelled,
    spellings,
)
from symbackprop.errors import Malformed
from symbackprop.notation.latex_tokens import lex_latex
from symbackprop.notation.text_tokens import lex_text
from symbackprop.notation.written import Name, Node, bare
from symbackprop.notation.written_reader import read_formula


def read_symbols(symbols: Mapping[str, str], scope: Scope, format: str) -> None:
    """Record the map in the scope, as definitions that come before all others.

    Raises
    ------
    Malformed
        For a symbol or a meaning that cannot be read.
    """
    names = frozenset(scope.arrays) | frozenset(scope.dims)
    for symbol, meaning in symbols.items():
        key = _parse(symbol, names, format)
        scripts = numbered(scripts_of(key))
        if rule_of(meaning) is not None or meaning in scope.program.functions:
            scope.functions[spelled(scripts)] = meaning
            continue
        value = read_formula(lex_text(meaning, names), meaning, "<symbols>")
        plain = replace(scope, text=meaning, patterns={}, functions={}, read_as={})
        try:
            readings = read(value, plain)
        except Unreadable as problem:
            raise Malformed(
                "a symbol map to expressions of the model language",
                f"{symbol} = {meaning}: {problem.message}",
            ) from problem
        if meaning in scope.dims:
            readings = readings[:1]
        if scripts.turned:
            readings = tuple(transpose(r, value) for r in readings)
        letters = {i.name for i in readings[0].letters}
        pattern = tuple(
            "*" if is_letter(i) and item_text(i) in letters else item_text(i) for i in scripts.items
        )
        order = tuple(
            item_text(i) for i in scripts.items if is_letter(i) and item_text(i) in letters
        )
        if is_phrase(key):
            scope.phrases[bare(key)] = readings
            continue
        if isinstance(value, Name) and meaning in scope.arrays:
            scope.decorations.update(set(decorations(key, letters)) & scope.stepping)
        if spellings(scripts.base):
            scope.patterns[spellings(scripts.base)[0], pattern] = Definition(
                order, readings, False, meaning
            )


def _parse(symbol: str, names: frozenset[str], format: str) -> Node:
    tokens = lex_latex(symbol) if format == "latex" or "\\" in symbol else lex_text(symbol, names)
    return read_formula(tokens, symbol, "<symbols>")

"""Gives a syntax tree its meaning: names become arrays, extents and functions, and shapes are
worked out.

``elaborate(tree, scope)`` returns a term of the closed vocabulary, ``elaborate_entry(tree, scope)``
an expression in index notation, ``elaborate_equation(tree, scope)`` the right side of an equation
of either kind. They raise ``Malformed`` with the operand underlined and the remedy in the user's
own names, ``NotSupported`` for what this version has not learnt.

>>> from symbackprop.ir.expressions import extent_symbol
>>> from symbackprop.notation.text_reader import read_expression
>>> N, D = extent_symbol("N"), extent_symbol("D")
>>> elaborate(read_expression("X @ w"), Scope(shapes={"X": (N, D), "w": (D,)})).shape
(N,)
"""

from __future__ import annotations

from symbackprop.notation import elaborate_arrays, elaborate_subscripts, elaborate_windows
from symbackprop.notation.elaborate_calls import call
from symbackprop.notation.elaborate_entries import elaborate_entry, elaborate_equation
from symbackprop.notation.elaborate_operators import elaborate
from symbackprop.notation.scope import Scope

# Importing a family registers its forms.
FAMILIES = (elaborate_arrays, elaborate_windows, elaborate_subscripts)

__all__ = ["Scope", "call", "elaborate", "elaborate_entry", "elaborate_equation"]

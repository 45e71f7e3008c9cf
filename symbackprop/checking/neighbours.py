r"""Two neighbours in a product that mean something together: ``f'`` and ``(z)``, ``\mathbb 1`` and
``[z > 0]``, ``d`` and ``W``. ``PAIRS`` is the table, the first row that reads a pair has it.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.array_calls import array_function
from symbackprop.checking.dependence import dependent, without_parameters
from symbackprop.checking.derivatives import derivative, differentials
from symbackprop.checking.functions import apply_to, function_of
from symbackprop.checking.indexing import indexed
from symbackprop.checking.operations import (
    all_pairs,
    power,
    product,
    transpose,
)
from symbackprop.checking.phrases import pair
from symbackprop.checking.read import read
from symbackprop.checking.readings import Readings, Unreadable, dearer
from symbackprop.checking.scope import Scope
from symbackprop.checking.special_names import indicator, named_gradient
from symbackprop.checking.spellings import is_letter, scripts_of, spellings
from symbackprop.checking.stated_directions import applied
from symbackprop.ir.expressions import Entry
from symbackprop.notation.written import (
    Binary,
    Bracket,
    Fraction,
    Juxt,
    Mark,
    Nabla,
    Name,
    Node,
    Number,
    Partial,
    Relation,
    Script,
    Terms,
    side_by_side,
)

PLACES = (Number, Mark, Terms, Juxt, Binary)  # what may stand in the brackets of an entry


def pair_at(factors: tuple[Node, ...], at: int, scope: Scope) -> tuple[Readings | None, int]:
    """What neighbours mean together, if they do, and how many factors that takes: two, or all that
    follow an operator.
    """
    if at + 1 >= len(factors):
        return None, 1
    first, second = factors[at], factors[at + 1]
    if (found := _of_the_rest(first, factors[at + 1 :], scope)) is not None:
        return found, len(factors) - at
    for rule in PAIRS:
        found = rule(first, second, scope)
        if found is not None:
            return found, 2
    return None, 1


def _of_the_rest(first: Node, rest: tuple[Node, ...], scope: Scope) -> Readings | None:
    r"""``\frac{\partial}{\partial w} (Xw - y)^\top (Xw - y)``, ``\nabla_x \frac12 x^\top A x``: the
    derivative of all that follows; dearer, that of the first factor times the others.
    """
    of = (first.of, *rest) if isinstance(first, Nabla) and first.of is not None else rest
    if len(of) < 2 or not _is_operator(first, scope):
        return None

    def derived(operand: Node) -> Readings:
        if isinstance(first, Fraction):
            return derivative(first, scope, operand=operand)
        assert isinstance(first, Nabla), "an operator is one of the two"
        assert first.by is not None, "an operator says by what"
        top, by = Partial(-1, -1, operand), Partial(-1, -1, first.by)
        return derivative(Fraction(first.start, operand.end, top, by), scope)

    try:
        whole = derived(side_by_side(of))
    except Unreadable:
        return None
    try:
        factors = derived(of[0]), read(side_by_side(of[1:]), scope)
    except Unreadable:
        return whole or None
    products = all_pairs(*factors, lambda a, b: product(a, b, " "))
    return (*whole, *(dearer(r, 1.0) for r in products)) if whole else None


def _is_operator(node: Node, scope: Scope) -> bool:
    r"""Whether a node is ``\frac{\partial}{\partial w}``, or ``\nabla_w`` of no loss."""
    if isinstance(node, Nabla):
        of = scripts_of(node.of).base if node.of is not None else None
        return node.by is not None and not _is_loss(of, scope)
    if not isinstance(node, Fraction) or differentials(node, scope) is not None:
        return False
    return differentials(node, scope, operand=node) is not None


def _application(first: Node, second: Node, scope: Scope) -> Readings | None:
    """``f'(z)``; a script on the bracket belongs to the value."""
    function = function_of(first, scope)
    bracket = second.base if isinstance(second, Script) else second
    if function is None or not isinstance(bracket, Bracket):
        return None
    values = apply_to(function, bracket.items, first, scope)
    if isinstance(second, Script):
        return scripted_value(values, second, scope)
    return values


def scripted_value(values: Readings, node: Script, scope: Scope) -> Readings:
    """The scripts of a bracket applied to the value that stands for it."""
    scripts = scripts_of(replace(node, base=Mark(node.start, node.end, "value")))
    out = tuple(s for r in values for s in indexed(r, scripts.items, node, scope))
    for exponent in scripts.powers:
        out = power(out, read(exponent, scope), node)
    return (
        tuple(transpose(r, node) for r in out)
        if scripts.turned != (scripts.primes % 2 == 1)
        else out
    )


def _indicator(first: Node, second: Node, scope: Scope) -> Readings | None:
    r"""``\mathbb 1[z > 0]``."""
    ones = isinstance(first, Mark) and first.text == "ones"
    if not ones or not isinstance(second, Bracket) or len(second.items) != 1:
        return None
    return indicator(second.items[0], scope) if isinstance(second.items[0], Relation) else None


def _dependence(first: Node, second: Node, scope: Scope) -> Readings | None:
    """``L(y; ŷ)``, ``h(x)``: a quantity with what it depends on; of one symbol also, dearer, the
    product.
    """
    found = dependent(first, second, scope) or _of_loss(first, second, scope)
    if found is None or not isinstance(second, Bracket) or len(second.items) > 1:
        return found
    if without_parameters(first, scope) is not first:
        return found
    try:
        factors = read(first, scope), read(second, scope)
    except Unreadable:
        return found
    products = all_pairs(*factors, lambda a, b: product(a, b, " "))
    return (*found, *(dearer(r, 1.0) for r in products))


def _of_loss(first: Node, second: Node, scope: Scope) -> Readings | None:
    """``L(w)`` and its gradient: no bracket of symbols multiplies the loss."""
    if not isinstance(second, Bracket) or second.kind != "(" or not second.items:
        return None
    if not all(spellings(scripts_of(i).base) for i in second.items):
        return None
    scalar = _is_loss(first.of if isinstance(first, Nabla) else first, scope)
    if not scalar and (not isinstance(first, Name) or len(second.items) < 2):
        return None
    if any(s.primes or s.turned for s in map(scripts_of, second.items)):
        return None  # a factor, or the loss at another point
    return read(first, scope)


def _slope(first: Node, second: Node, scope: Scope) -> Readings | None:
    """``L'(w)``, the gradient by w: nobody transposes a scalar loss."""
    if not isinstance(second, Bracket) or second.kind != "(" or len(second.items) != 1:
        return None
    (item,) = second.items
    if scope.shape(scope.loss) or not spellings(scripts_of(item).base):
        return None
    if not isinstance(first, Script) or not _is_loss(first.base, scope) or first.subs:
        return None
    if scripts_of(first).primes != 1 or len(first.sups) != 1:
        return None
    by = Partial(item.start, item.end, item)
    return derivative(Fraction(first.start, second.end, Partial(-1, -1, first.base), by), scope)


def _is_loss(node: Node | None, scope: Scope) -> bool:
    """Whether a node is the loss, which no bracket multiplies."""
    return isinstance(node, Name) and node.text in scope.loss_names


def _layer(first: Node, second: Node, scope: Scope) -> Readings | None:
    """``W[2]`` for a declared W2, ``dW[2]`` for its gradient, and what the document calls so."""
    bracket = second.base if isinstance(second, Script) else second
    if not isinstance(first, Name) or not isinstance(bracket, Bracket) or bracket.kind != "[":
        return None
    (item,) = bracket.items if len(bracket.items) == 1 else (None,)
    if not isinstance(item, Number) or scope.shape(first.text) is not None:
        return None
    if (first.text, (item.text,)) in scope.patterns:
        found = read(Script(first.start, bracket.end, first, (item,), ()), scope)
        return scripted_value(found, second, scope) if isinstance(second, Script) else found
    name = first.text + item.text
    if scope.shape(name) is None and scope.shape(name[1:]) is None:
        return None
    found = read(Name(first.start, bracket.end, name), scope)
    return scripted_value(found, second, scope) if isinstance(second, Script) else found


def _subscript(first: Node, second: Node, scope: Scope) -> Readings | None:
    """``X[n, :]``, counted from 0 as in code: a slot, or a declared name with all its indices."""
    if not isinstance(second, Bracket) or second.kind != "[" or not second.items:
        return None
    if not all(is_letter(i) or isinstance(i, PLACES) for i in second.items):
        return None
    word = first.text if isinstance(first, Name) else ""
    shape = scope.shape(word)
    slots = any(isinstance(i, Mark) and i.text == ":" for i in second.items)
    own = (word, ()) in scope.patterns
    gradient = shape is None and not scope.latex and (own or word[:1] == "d")
    if not slots and not gradient and (shape is None or len(shape) != len(second.items)):
        return None
    found = read(first, scope)
    if gradient and any(r.rank != len(second.items) for r in found):
        return None
    return tuple(s for r in found for s in indexed(r, second.items, first, scope, first=0))


def _operator(first: Node, second: Node, scope: Scope) -> Readings | None:
    r"""``\frac{\partial}{\partial X} (…)``, and ``D_X L``."""
    if isinstance(first, Script) and isinstance(first.base, Name) and first.base.text == "D":
        if len(first.subs) != 1 or first.sups or not _is_loss(second, scope):
            return None
        by = Partial(first.start, first.end, first.subs[0])
        return derivative(Fraction(first.start, second.end, Partial(-1, -1, second), by), scope)
    return derivative(first, scope, operand=second) or None if isinstance(first, Fraction) else None


def _differential(first: Node, second: Node, scope: Scope) -> Readings | None:
    """``d W``, ``δ W``: the gradient, where d is no name of the model."""
    if (
        not isinstance(first, Name)
        or first.text not in ("d", "delta")
        or scope.shape(first.text) is not None
    ):
        return None
    bracket = scope.directions is not None and isinstance(second, Bracket)
    if not (spellings(scripts_of(second).base) or bracket):
        return None
    mapped = scope.patterns.get((first.text, ()))
    if mapped is not None:
        return _either(mapped.readings, first, second, scope) if first.text == "d" else None
    if scope.directions is not None and first.text == "d":
        return tuple(scope.directions.along(r, second) for r in read(second, scope))
    if isinstance(second, Name) and second.text == scope.loss:
        return None
    return tuple(named_gradient(r, second, scope) for r in read(second, scope))


def _either(mapped: Readings, first: Node, second: Node, scope: Scope) -> Readings | None:
    """``d V`` where d is a number of the symbol map: the gradient, and dearer the product."""
    if any(r.rank or r.expr not in scope.dims.values() for r in mapped):
        return None
    found = read(second, scope)
    gradients = tuple(
        named_gradient(r, second, scope)
        for r in found
        if isinstance(r.expr, Entry) and scope.gradient(r.expr) is not None
    )
    products = all_pairs(mapped, found, lambda a, b: product(a, b, " "))
    return (*gradients, *(dearer(r, 1.0) for r in products)) if gradients else None


PAIRS = (
    pair, array_function, applied,
    _application, _slope, _indicator, _layer, _dependence, _subscript, _operator, _differential,
)  # fmt: skip

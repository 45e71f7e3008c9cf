"""Functions as written: elementwise ones and their slopes, and those of whole arrays (sums, means,
norms, softmax, …).

``f'(…)`` with dots for an argument is the slope at the place where the model itself applies the
function: the pre-activation of that neuron. Functions of arrays are a table: name, and what it
makes of its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Integer, Pow, Rational

from symbackprop.checking.matrices import determinant, inverted, is_square
from symbackprop.checking.operations import all_pairs, power, product, transpose
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    combined,
    dearer,
    position,
    squeezed,
)
from symbackprop.checking.scope import AS, Scope
from symbackprop.checking.spellings import Scripts, item_text, scripts_of, spelled
from symbackprop.ir.expressions import Apply, Delta, Index, IndexSum, substitute
from symbackprop.ir.functions import PRIMITIVES, FunctionRule
from symbackprop.library.functions import RULES
from symbackprop.notation.written import Accent, Call, Keyword, Mark, Name, Node, Number, Root

MEAN = Note("the mean is over the first axis, the samples")
DOTTED = Note("the dots stand for the pre-activation of that neuron")
USUAL = ("f", "g", "phi", "sigma", "h", "a", "act")
SLOPES = ("", "_prime", "_pprime")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the library or of the model, and how often it is differentiated; ``guessed`` if
    taken from a guess.
    """

    name: str
    order: int = 0
    guessed: str = ""


def function_of(node: Node, scope: Scope) -> Function | None:
    """The elementwise function that a symbol names; None if it names none."""
    scripts = scripts_of(node)
    base, order = scripts.base, scripts.primes
    if isinstance(base, Accent) and base.accent == "dot":
        base, order = base.body, order + 1
    if not isinstance(base, Name) or scripts.powers or scripts.turned or order > 2:
        return None
    mapped = scope.functions.get(spelled(scripts))
    if mapped is not None:
        return Function(mapped, order)
    if scripts.items:
        return _of_layer(scripts, order, scope)
    if scope.shape(base.text) is not None or (base.text, ()) in scope.patterns:
        return None
    for suffix, more in (("_pprime", 2), ("_prime", 1)):
        if base.text.endswith(suffix) and base.text.removesuffix(suffix) in scope.program.functions:
            return Function(base.text.removesuffix(suffix), order + more)
    if base.text in scope.program.functions or rule_of(base.text) is not None:
        return Function(base.text, order)
    if base.text == "sigma" and not scope.program.functions:
        return Function("sigmoid", order)
    return _usual(base.text, order, scope)


def _usual(text: str, order: int, scope: Scope) -> Function | None:
    """The one activation of the model under a letter in use for activations: a guess."""
    used = activations(scope)
    if text in USUAL and len(used) == 1 and (order or text not in ("h", "a")):
        return _guess(text, used[0], order, scope)
    return None


def _of_layer(scripts: Scripts, order: int, scope: Scope) -> Function | None:
    """``g^{[1]}``: the activation of the equation that bears this number; a guess."""
    base, number = scripts.base, "".join(item_text(i) for i in scripts.items)
    assert isinstance(base, Name), "asked for names"
    if not number.isdigit():
        return None
    if rule_of(base.text) is not None:
        return _guess(f"{base.text}_{number}", base.text, order, scope)
    if base.text not in USUAL or scope.shape(base.text + number) is not None:
        return None
    at = [
        e.rhs.name
        for e in scope.forward.equations
        if isinstance(e.rhs, Apply) and e.name.endswith(number)
    ]
    return _guess(f"{base.text}_{number}", at[0], order, scope) if len(at) == 1 else None


def _guess(symbol: str, name: str, order: int, scope: Scope) -> Function:
    guess = f"{symbol}{AS}{name}"
    scope.supposed.add(guess)
    scope.strong.add(guess)
    return Function(name, order, guessed=guess)


def activations(scope: Scope) -> tuple[str, ...]:
    """The elementwise functions that the model's equations apply at the top."""
    names = {e.rhs.name: None for e in scope.forward.equations if isinstance(e.rhs, Apply)}
    return tuple(names)


def rule_of(name: str) -> FunctionRule | None:
    primitive = PRIMITIVES.get(name)
    return primitive.rule if primitive else RULES.get(name)


def apply_to(function: Function, items: Sequence[Node], node: Node, scope: Scope) -> Readings:
    """The function at its argument, entry by entry."""
    if len(items) != 1:
        raise Unreadable("notation", f"{function.name} of {len(items)} arguments", node)
    if isinstance(items[0], Mark) and items[0].text == "dots":
        arguments = _preactivations(function, node, scope)
    else:
        arguments = read(items[0], scope)
    return tuple(applied(function, r, node) for r in arguments)


def applied(function: Function, r: Reading, node: Node) -> Reading:
    rule = rule_of(function.name)
    guessed = r.guessed | ({function.guessed} if function.guessed else frozenset())
    if rule is None:
        return replace(
            r, expr=Apply(function.name + SLOPES[function.order], r.expr), guessed=guessed
        )
    if function.order > 1 or (
        len(rule.parameters) > 1 and len(rule.parameters) != 1 + len(rule.defaults)
    ):
        raise Unreadable("notation", f"this use of {function.name} is not read", node)
    operands = (r.expr, *rule.defaults)
    expr = rule.at(rule.slopes[0], operands) if function.order else Apply(function.name, *operands)
    return replace(r, expr=expr, guessed=guessed)


def _preactivations(function: Function, node: Node, scope: Scope) -> Readings:
    """Where the model applies the function: by entries with the statement's letters, and as a whole
    array.
    """
    places = [
        e
        for e in scope.forward.equations
        if isinstance(e.rhs, Apply) and e.rhs.name == function.name
    ]
    if len(places) != 1:
        raise Unreadable(
            "notation", f"dots where {function.name} is applied at {len(places)} places", node
        )
    (equation,) = places
    (argument,) = equation.rhs.operands[:1]
    out = []
    whole = array(argument, equation.indices, cost=0.5, notes=frozenset((DOTTED,)))
    named = {i: j for i in equation.indices for j in scope.letters.values() if j.extent == i.extent}
    if named and len(named) == len(equation.indices):
        out.append(Reading(substitute(argument, named), cost=0.4, notes=frozenset((DOTTED,))))
    return (*out, whole)


@read.register
def _call(node: Call, scope: Scope) -> Readings:
    scripts = scripts_of(node.function)
    assert isinstance(scripts.base, Name), "a call has a named function"
    name = scripts.base.text
    if scripts.items or scripts.turned:
        raise Unreadable("notation", f"scripts on {name} are not read", node)
    make = ARRAY_FUNCTIONS.get(name)
    if make is not None and not scripts.primes:
        keywords = {k.key: k.value for k in node.arguments if isinstance(k, Keyword)}
        positional = [a for a in node.arguments if not isinstance(a, Keyword)]
        values = make(positional, keywords, node, scope)
    elif rule_of(name) is not None or name == "sqrt":
        values = _elementwise(Function(name, scripts.primes), node, scope)
    else:
        raise Unreadable("notation", f"the function {name} is not read yet", node)
    for exponent in scripts.powers:
        values = power(values, read(exponent, scope), node)
    return values


def _elementwise(function: Function, node: Call, scope: Scope) -> Readings:
    if function.name == "sqrt":
        return _rooted(read(node.arguments[0], scope))
    return apply_to(function, node.arguments, node, scope)


@read.register
def _root(node: Root, scope: Scope) -> Readings:
    return _rooted(read(node.body, scope))


def _rooted(readings: Readings) -> Readings:
    return tuple(replace(r, expr=Pow(r.expr, Rational(1, 2))) for r in readings)


Maker = Callable[[list[Node], dict[str, Node], Call, Scope], Readings]


def _each(positional: list[Node], node: Call, scope: Scope) -> Readings:
    if len(positional) != 1:
        raise Unreadable("notation", "one argument is read here", node)
    return read(positional[0], scope)


def reduced(r: Reading, over: Sequence[int], keep: bool = False, mean: bool = False) -> Reading:
    """The sum (or mean) over positional axes."""
    bound = tuple(Index(f"_s{k}", r.axes[k].extent) for k in over)
    body = substitute(r.expr, dict(zip((r.axes[k] for k in over), bound, strict=True)))
    total = IndexSum(body, *bound) if bound else body
    if mean:
        for b in bound:
            total = total / b.extent
    one = position(9, Integer(1))
    axes = [a for k, a in enumerate(r.axes) if k not in over or keep]
    axes = [one if keep and r.axes.index(a) in over else a for a in axes]
    return array(total, axes, cost=r.cost, notes=r.notes, guessed=r.guessed)


def _summing(mean: bool) -> Maker:
    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        axis = keywords.get("axis")
        keep = "keepdims" in keywords and getattr(keywords["keepdims"], "text", "") in ("True", "1")
        out = []
        for r in _each(positional, node, scope):
            if axis is None:
                over: Sequence[int] = _averaged(r, scope) if mean else range(r.rank)
            elif isinstance(axis, Number) and axis.text.isdigit() and int(axis.text) < r.rank:
                over = (int(axis.text),)
            else:
                raise Unreadable("shape", "an axis that the array does not have", node)
            found = reduced(r, tuple(over), keep, mean)
            part = mean and axis is None and len(over) < r.rank
            out.append(dearer(found, 0.0, MEAN) if part else found)
        return tuple(out)

    return make


def _averaged(r: Reading, scope: Scope) -> tuple[int, ...]:
    """The axes of a mean that does not say so: all, or the first, as the document is read."""
    scope.averages = scope.averages or r.rank == 2
    return (0,) if scope.by_samples and r.rank == 2 else tuple(range(r.rank))


def _variance(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    """The mean squared distance from the mean, over the same axis as a mean."""
    out = []
    for r in _each(positional, node, scope):
        over = _averaged(r, scope)
        centre = reduced(r, over, True, True)
        spread = dict(zip(centre.axes, r.axes, strict=True))
        away = replace(r, expr=(r.expr - substitute(centre.expr, spread)) ** 2)
        found = reduced(away, over, False, True)
        out.append(found if len(over) == r.rank else dearer(found, 0.0, MEAN))
    return tuple(out)


def _inverse(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    return inverted(_each(positional, node, scope), node, scope)


def _determinant(function: str) -> Maker:
    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        found = [r for r in _each(positional, node, scope) if is_square(r)]
        return tuple(determinant(r, node, scope, function) for r in found)

    return make


def _rowsum(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    found = _each(positional, node, scope)
    return tuple(reduced(r, (1,), keep=True) for r in found if r.rank == 2)


def _trace(positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope) -> Readings:
    out = []
    for r in _each(positional, node, scope):
        if r.rank == 2 and r.axes[0].extent == r.axes[1].extent:
            k = Index("_k", r.axes[0].extent)
            out.append(
                replace(
                    r, expr=IndexSum(substitute(r.expr, {r.axes[0]: k, r.axes[1]: k}), k), axes=()
                )
            )
    if not out:
        raise Unreadable("shape", "a trace of something that is not square", node)
    return tuple(out)


def _diag(positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope) -> Readings:
    out = []
    for r in _each(positional, node, scope):
        if r.rank == 2 and 1 in r.shape:
            r = squeezed(r)
        if r.rank == 1:
            j = position(1, r.axes[0].extent)
            out.append(
                replace(r, expr=r.expr * Delta(r.axes[0], j), axes=(r.axes[0], j), row=False)
            )
        elif r.rank == 2:
            out.append(replace(r, expr=substitute(r.expr, {r.axes[1]: r.axes[0]}), axes=r.axes[:1]))
    if not out:
        raise Unreadable("shape", "diag of a scalar", node)
    return tuple(out)


def normed(r: Reading) -> Reading:
    """The root of the sum of squares of all entries."""
    total = reduced(replace(r, expr=r.expr**2), tuple(range(r.rank)))
    return replace(total, expr=Pow(total.expr, Rational(1, 2)))


def _norm(positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope) -> Readings:
    return tuple(normed(r) for r in _each(positional, node, scope))


def _maximum(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    if len(positional) != 2:
        raise Unreadable("notation", "a maximum of two is read", node)
    out = []
    for a in read(positional[0], scope):
        for b in read(positional[1], scope):
            big, small = (b, a) if a.rank == 0 else (a, b)
            if small.rank and small.shape != big.shape:
                continue
            expr = Apply("relu", big.expr) if small.expr == 0 else Apply("maximum", a.expr, b.expr)
            out.append(replace(big, expr=expr, **combined(a, b)))
    if not out:
        raise Unreadable("shape", "the two shapes in the maximum differ", node)
    return tuple(out)


def _softmax(log: bool) -> Maker:
    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        out = []
        for r in _each(positional, node, scope):
            if not r.rank:
                raise Unreadable("shape", "softmax of a scalar", node)
            total = summed_exponentials(r)
            out.append(
                replace(
                    r, expr=r.expr - Apply("log", total) if log else Apply("exp", r.expr) / total
                )
            )
        return tuple(out)

    return make


def summed_exponentials(r: Reading) -> Expr:
    k = Index("_k", r.axes[-1].extent)
    return IndexSum(Apply("exp", substitute(r.expr, {r.axes[-1]: k})), k)


def _logsumexp(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    found = _each(positional, node, scope)
    return tuple(
        array(
            Apply("log", summed_exponentials(r)),
            r.axes[:-1],
            cost=r.cost,
            notes=r.notes,
            guessed=r.guessed,
        )
        for r in found
        if r.rank
    )


def _two(sign: str, turn: bool) -> Maker:
    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        if len(positional) != 2:
            raise Unreadable("notation", "two arguments are read here", node)
        left, right = read(positional[0], scope), read(positional[1], scope)
        right = tuple(transpose(r, node) for r in right) if turn else right
        found = all_pairs(left, right, lambda a, b: product(a, b, sign))
        if not found:
            raise Unreadable("shape", "the two arguments do not fit", node)
        return found

    return make


# fmt: off
ARRAY_FUNCTIONS: dict[str, Maker] = {
    "sum": _summing(False), "mean": _summing(True), "rowsum": _rowsum, "trace": _trace,
    "diag": _diag, "norm2": _norm,
    "max": _maximum, "maximum": _maximum, "softmax": _softmax(False), "log_softmax": _softmax(True),
    "logsumexp": _logsumexp,
    "dot": _two("@", False), "outer": _two(" ", True),
    "var": _variance, "inv": _inverse,
    "det": _determinant("det"), "logdet": _determinant("logdet"),
}
# fmt: on

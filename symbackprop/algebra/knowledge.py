"""What a program teaches the algebra: fold patterns, and facts that follow from its equations.

A derived fact uses the same record as a declared one: rows of a softmax sum to 1 because its entry,
summed, is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from sympy import Add, Expr, Mul, Pow

from symbackprop.algebra.context import Context, is_constant, is_nonnegative
from symbackprop.algebra.expand import expand
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.symmetry import derived_symmetry, may_be_symmetric
from symbackprop.ir.affine import inside
from symbackprop.ir.expressions import (
    Apply,
    Entry,
    Index,
    IndexMax,
    IndexSum,
    entry_names,
    free_indices,
    substitute,
)
from symbackprop.ir.program import Equation, Fact, Program
from symbackprop.ir.renaming import anonymous, pattern, rename
from symbackprop.ir.replacement import replace_entries

KEPT = 4  # programs whose facts are remembered
SIGNED = (Apply, Pow, IndexSum, IndexMax, Mul)  # other sums are seldom of one sign


def working_context(program: Program) -> Context:
    """A context whose fold patterns and derived facts are those of the program's equations."""
    context = Context(program)
    for equation, body, facts in _learned(program):
        context.register(equation, body)
        for fact in facts:
            context.learn(fact)
    return context


def proof_context(program: Program) -> Context:
    """A context with the same facts and no folding: what it gives does not depend on the equations
    at hand.
    """
    plain = Context(program, folding=False, proving=True)
    for _, _, facts in _learned(program):
        for fact in facts:
            plain.learn(fact)
    return plain


Learned = tuple[tuple[Equation, Expr, list[Fact]], ...]
_recent: list[tuple[Program, Learned]] = []


def _learned(program: Program) -> Learned:
    """Each equation with what is known of it, worked out once for the programs asked about last:
    a derivation asks for every step.
    """
    begun: Learned = ()
    for known, found in _recent:
        if known is program:
            return found
        if len(found) > len(begun) and _goes_on(program, known):
            begun = found
    found = (*begun, *_learn(program, begun))
    _recent.append((program, found))
    del _recent[:-KEPT]
    return found


def _goes_on(program: Program, known: Program) -> bool:
    """Whether a program is a known one with further equations at its end."""
    count = len(known.equations)
    own = program.equations[:count]
    return len(own) == count and (
        all(a is b for a, b in zip(own, known.equations, strict=True))
        and replace(program, equations=()) == replace(known, equations=())
    )


def _learn(program: Program, begun: Learned) -> Iterator[tuple[Equation, Expr, list[Fact]]]:
    """Each equation after those that are known with its normalised right side and the facts that
    follow from it and those above.
    """
    plain = Context(program, folding=False)
    above: dict[str, Equation] = {}
    met: dict[tuple[object, ...], list[Fact]] = {}
    forms: dict[tuple[object, ...], tuple[tuple[str, ...], Expr]] = {}
    for equation, _, facts in begun:
        above[equation.name] = equation
        for fact in facts:
            plain.learn(fact)
    for equation in program.equations[len(begun) :]:
        body = _normal_form(equation.rhs, plain, forms)
        key = _like(equation, body, plain, above)
        if key not in met:
            met[key] = constant_sums(equation, body, plain, above)
        facts = [replace(fact, name=equation.name) for fact in met[key]]
        if may_be_symmetric(equation, plain):
            facts += derived_symmetry(equation, _without_hidden(body, above), plain)
        if isinstance(body, Apply | Pow | IndexSum | IndexMax | Mul) and is_nonnegative(
            body, plain
        ):
            facts.append(Fact(equation.name, "nonnegative", derived=True))
        for fact in facts:
            plain.learn(fact)
        above[equation.name] = equation
        yield equation, body, facts


def _normal_form(
    rhs: Expr, context: Context, known: dict[tuple[object, ...], tuple[tuple[str, ...], Expr]]
) -> Expr:
    """``normalise``, once for layers of one kind: carried over where the other names are known to
    be the same and stand in the same order, on which the form depends.
    """
    spelling, names = pattern(rhs)
    order = sorted(range(len(names)), key=lambda k: f"{names[k]},")
    facts = ((context.kinds.get(n, frozenset()), context.sums_of(n)) for n in names)
    key = (spelling, tuple(order), *facts)
    if key in known:
        others, body = known[key]
        return rename(body, dict(zip(others, names, strict=True)))
    body = normalise(rhs, context)
    if entry_names(rhs) == frozenset(names):  # else a whole matrix is named, by which it is spelled
        known[key] = names, body
    return body


def _like(
    equation: Equation, body: Expr, context: Context, above: Mapping[str, Equation]
) -> tuple[object, ...]:
    """What decides the constant sums of an equation, up to names: layers of one kind are summed
    once.
    """
    if equation.start is not None:
        return equation.name, equation.start
    numbers: dict[str, int] = {}
    key: list[object] = [equation.indices, anonymous(body, numbers)]
    for name in tuple(numbers):
        upper = above.get(name)
        if upper is not None and upper.start is not None:
            return (equation.name,)
        key.append(upper and (upper.indices, anonymous(upper.rhs, numbers)))
    key.extend((context.kinds.get(n, frozenset()), context.sums_of(n)) for n in numbers)
    return tuple(key)


def _without_hidden(body: Expr, above: Mapping[str, Equation]) -> Expr:
    """``body`` with hidden quantities written out."""
    while True:
        hidden = tuple(
            above[n] for n in sorted(entry_names(body)) if n in above and above[n].hidden
        )
        written = inline(body, hidden) if hidden else body
        if written == body:
            return body
        body = written


def constant_sums(
    equation: Equation, body: Expr, context: Context, above: Mapping[str, Equation]
) -> list[Fact]:
    """Axis sums of ``equation`` that are constant: rows of a softmax sum to 1, centred columns to
    0.
    """
    facts = []
    for axis, index in enumerate(equation.indices):
        if index.extent == 1:
            continue
        means = _subtracted(body, index, above)
        if not means and not _is_share(body):
            continue
        total = normalise(IndexSum(body, index), context)
        if means:
            total = expand(inline(expand(total, context), means), context)
        if is_constant(total):
            facts.append(Fact(equation.name, "sum", axis, total, derived=True))
    return facts


def _is_share(body: Expr) -> bool:
    """Whether ``body`` is a quotient by a sum."""
    powers = (f.as_base_exp() for f in Mul.make_args(body))
    return any(isinstance(base, IndexSum) and exponent.is_negative for base, exponent in powers)


def _subtracted(body: Expr, index: Index, above: Mapping[str, Equation]) -> tuple[Equation, ...]:
    """Defined quantities that stand, free of ``index``, beside terms that bear it, as the mean does
    in ``X - mu``.
    """
    for f in Mul.make_args(body):
        if isinstance(f, Add):
            without = [t for t in f.args if index not in free_indices(t)]
            names = frozenset().union(*(entry_names(t) for t in without)) & above.keys()
            if names and len(without) < len(f.args):
                return tuple(above[n] for n in sorted(names))
    return ()


def inline(e: Expr, equations: tuple[Equation, ...]) -> Expr:
    """``e`` with entries of the defined quantities replaced by their right sides; an entry of a
    family where it is certain which equation defines that member.
    """

    def writer(equation: Equation) -> Callable[[Entry], Expr]:
        return lambda entry: substitute(
            equation.rhs, dict(zip(equation.indices, entry.indices, strict=True))
        )

    plain = {q.name: writer(q) for q in equations if q.start is None}
    pieces = tuple(q for q in equations if q.start is not None)
    return replace_entries(e, plain | {q.name: _member_writer(q.name, pieces) for q in pieces})


def _member_writer(name: str, pieces: tuple[Equation, ...]) -> Callable[[Entry], Expr]:
    own = tuple(q for q in pieces if q.name == name)

    def written(entry: Entry) -> Expr:
        for q in own:
            places = q.own_places(entry.indices)
            if inside(places[0], q.indices[0].extent):
                return substitute(q.rhs, dict(zip(q.indices, places, strict=True)))
        return entry

    return written


def inline_in_turn(e: Expr, equations: Iterable[Equation]) -> Expr:
    """``e`` with one defined quantity after the other written out, so that those which a right side
    brings in are written out too if they come later.
    """
    for equation in equations:
        e = inline(e, (equation,))
    return e

"""What a program teaches the algebra: fold patterns, and facts that follow from its equations.

A derived fact uses the same record as a declared one: rows of a softmax sum to 1 because its entry, summed, is 1.
"""

from __future__ import annotations

from sympy import Expr, Mul

from symbackprop.algebra.context import Context
from symbackprop.algebra.normalise import normalise
from symbackprop.ir.expressions import Index, IndexSum, entry_names
from symbackprop.ir.program import Equation, Fact, Program


def working_context(program: Program) -> Context:
    """A context whose fold patterns and derived facts are those of the program's equations."""
    context, plain = Context(program), Context(program, folding=False)
    for equation in program.equations:
        body = normalise(equation.rhs, plain)
        context.register(equation, body)
        for fact in derived_facts(equation, body, plain):
            context.learn(fact)
            plain.learn(fact)
    return context


def proof_context(program: Program) -> Context:
    """A context with the same facts and no folding: what it gives does not depend on the equations at hand."""
    plain = Context(program, folding=False)
    for equation in program.equations:
        for fact in derived_facts(equation, normalise(equation.rhs, plain), plain):
            plain.learn(fact)
    return plain


def derived_facts(equation: Equation, body: Expr, context: Context) -> list[Fact]:
    """Axis sums of ``equation`` that are constant."""
    if not _may_have_constant_sums(body):
        return []
    facts = []
    for axis, index in enumerate(equation.indices):
        total = normalise(IndexSum(body, index), context)
        if not entry_names(total) and not total.has(Index):
            facts.append(Fact(equation.name, "sum", axis, total, derived=True))
    return facts


def _may_have_constant_sums(body: Expr) -> bool:
    """Only a quotient by a sum can; anything else is not worth the work."""
    powers = (f.as_base_exp() for f in Mul.make_args(body))
    return any(isinstance(base, IndexSum) and exponent.is_negative for base, exponent in powers)

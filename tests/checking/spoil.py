"""Single edits of right claims: one change at a random place of a term or of an entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Add, Expr, Integer, Mul

from symbackprop.errors import Malformed
from symbackprop.ir import terms
from symbackprop.ir.expressions import Apply, Entry, Index, IndexSum
from symbackprop.ir.terms import ShapeError, Term, same_shape

REBUILD: dict[str, Callable[..., Term]] = {
    "add": terms.add, "sub": terms.sub, "mul": terms.mul, "div": terms.div, "pow": terms.power,
    "neg": terms.neg, "matmul": terms.matmul, "transpose": terms.transpose, "dot": terms.dot,
    "outer": terms.outer,
}  # fmt: skip


def rebuilt(t: Term, args: tuple[Term, ...]) -> Term:
    """The operation on other operands."""
    if t.op in REBUILD:
        return REBUILD[t.op](*args)
    if t.op == "apply":
        return terms.apply(t.attrs[0], *args)
    if t.op == "sum":
        return terms.reduce("sum", args[0], *t.attrs)
    raise Malformed("an operation that can be spoilt", t.op)


def spoilt_terms(t: Term, names: list[Term]) -> Iterator[Term]:
    """Every term that differs from ``t`` by one edit."""
    yield from _here(t, names)
    for k, a in enumerate(t.args):
        for b in spoilt_terms(a, names):
            try:
                yield rebuilt(t, (*t.args[:k], b, *t.args[k + 1 :]))
            except (Malformed, ShapeError):
                continue


def _here(t: Term, names: list[Term]) -> Iterator[Term]:
    if t.op == "name":
        yield from (n for n in names if n != t and same_shape(n.shape, t.shape))
        if t.rank == 2:
            yield terms.transpose(t)
    elif t.op == "number":
        yield terms.number(t.attrs[0] + 1)
    elif t.op in ("add", "sub"):
        yield (terms.sub if t.op == "add" else terms.add)(*t.args)
        yield t.args[0]
    elif t.op == "mul":
        yield from t.args
    elif t.op == "div" or t.op == "neg" or t.op == "transpose" or t.op == "pow":
        yield t.args[0]
    elif t.op == "matmul":
        yield t.args[0]
        yield t.args[1]
    elif t.op == "apply":
        name = t.attrs[0]
        if name.endswith("_prime"):
            yield terms.apply(name.removesuffix("_prime"), *t.args)
        if name in ("tanh", "sigmoid"):
            yield terms.apply("sigmoid" if name == "tanh" else "tanh", *t.args)
        if len(t.args) == 1:
            yield t.args[0]
    if t.op != "number":
        yield terms.mul(terms.number(2), t)
        yield terms.neg(t)


def spoilt_entries(e: Expr, names: dict[tuple[Expr, ...], list[str]]) -> Iterator[Expr]:
    """Every entry that differs from ``e`` by one edit."""
    if isinstance(e, Entry):
        shape = tuple(i.extent for i in e.indices if isinstance(i, Index))
        if len(shape) == len(e.indices):
            yield from (Entry(n, *e.indices) for n in names.get(shape, []) if n != e.name)
    if isinstance(e, Add):
        for k, p in enumerate(e.args):
            yield Add(*e.args[:k], -p, *e.args[k + 1 :])
            yield Add(*e.args[:k], *e.args[k + 1 :])
    if isinstance(e, Mul):
        for k in range(len(e.args)):
            yield Mul(*e.args[:k], *e.args[k + 1 :])
    if isinstance(e, IndexSum):
        if len(e.bound) == 1:
            yield e.body
    if isinstance(e, Integer) and e > 0:
        yield e + 1
    if isinstance(e, Apply) and e.name.endswith("_prime"):
        yield Apply(e.name.removesuffix("_prime"), *e.operands)
    if not isinstance(e, Index):
        yield 2 * e
        yield -e
    if isinstance(e, Apply):
        for k, a in enumerate(e.operands):
            for b in spoilt_entries(a, names):
                yield Apply(e.name, *e.operands[:k], b, *e.operands[k + 1 :])
    elif isinstance(e, IndexSum):
        yield from (IndexSum(b, *e.bound) for b in spoilt_entries(e.body, names))
    elif isinstance(e, Add | Mul):
        for k, a in enumerate(e.args):
            for b in spoilt_entries(a, names):
                yield e.func(*e.args[:k], b, *e.args[k + 1 :])

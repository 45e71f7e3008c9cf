"""Which of several equal forms is shown: each adjoint's candidates are lifted, and the cheapest by
the cost table is taken.

Hidden quantities are written out where they are used. The adjoint of a consumer is put in where
that makes the result shorter: softmax with cross-entropy becomes ``(P - Y) / N``, while ``grad_H *
f_prime(Z)`` keeps its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sympy import Basic, Expr, Pow

from symbackprop.algebra.candidates import candidates
from symbackprop.algebra.context import Context
from symbackprop.algebra.expand import TooLarge, expand
from symbackprop.algebra.knowledge import inline, inline_in_turn
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.refute import agree
from symbackprop.calculus.reverse import PREFIX, Adjoint, Block
from symbackprop.ir import terms
from symbackprop.ir.derivation import Derivative, Step
from symbackprop.ir.expressions import Entry, Index, IndexSum, entries, entry_names, substitute
from symbackprop.ir.letters import places
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.renaming import anonymous, rename, rename_term
from symbackprop.ir.replacement import replace_entries
from symbackprop.ir.terms import Shape, Term
from symbackprop.matrix.cost import Cost, cost
from symbackprop.matrix.lift import Lifter
from symbackprop.matrix.lower import entry as lowered_entry
from symbackprop.pipeline.unnamed import is_composed

# A formula with more entries is put in where something cancels, else it is no shorter; under sums
# fewer, since the search for the cheapest product of so many takes long.
LONG, LONG_SUM = 8, 5


@dataclass(frozen=True, slots=True)
class Form:
    """An equal form of an adjoint: its entry, its lifted term and the price of that."""

    entry: Expr
    term: Term
    price: Cost


class FormMaker:
    """Lifts entries against one program: shapes of all names, and the written orders of the forward
    terms.
    """

    def __init__(
        self, program: Program, turned: Collection[str] = (), symmetric: Collection[str] = ()
    ) -> None:
        self.shapes: dict[str, Shape] = {q.name: q.shape for q in program.inputs}
        self.shapes |= {e.name: e.shape for e in program.equations}
        self.shapes |= {PREFIX + name: shape for name, shape in self.shapes.items()}
        self.shapes |= {name: self.shapes[name][::-1] for name in turned}
        self._lifter = Lifter(self.shapes, [e.term for e in program.equations], symmetric=symmetric)
        self._program = program
        self._plain = Context(program, folding=False)

    def form(self, entry: Expr, indices: tuple[Index, ...]) -> Form:
        term = self._lifter.lift(entry, indices)
        return Form(entry, term, cost(term))

    def by_entries(self, entry: Expr, indices: tuple[Index, ...]) -> Form:
        """The form that needs no array notation."""
        term = terms.entries(indices, entry)
        return Form(entry, term, cost(term))

    def says_the_same(self, form: Form, indices: tuple[Index, ...]) -> bool:
        """``lower(lift(e)) = e``: by working form or expanded form, else by value."""
        lowered, extra = lowered_entry(form.term, indices, self._program)
        lowered = inline_in_turn(lowered, reversed(extra))
        at_zero = dict(zip(indices, places(indices), strict=True))
        entry = substitute(form.entry, at_zero)
        difference = normalise(lowered - entry, self._plain)
        if difference == 0:
            return True
        try:
            if expand(difference, self._plain) == 0:
                return True
        except TooLarge:
            pass
        names = entry_names(lowered) | entry_names(entry)
        return agree(lowered, entry, self._with_adjoints(names)) is True

    def _with_adjoints(self, names: Collection[str]) -> Program:
        """The program with the adjoints among ``names`` as inputs, so that they have values."""
        named = sorted(n for n in names if n.startswith(PREFIX) and n in self.shapes)
        adjoints = tuple(Quantity(n, self.shapes[n], "data") for n in named)
        return replace(self._program, inputs=self._program.inputs + adjoints)


def present(
    adjoints: Iterable[Adjoint],
    of: str,
    program: Program,
    context: Context,
    apart: Collection[str] = (),
) -> tuple[Derivative, ...]:
    """Derivatives with lifted terms and complete steps, in the order of ``adjoints``; hidden ones
    are written out, but for those of ``apart`` that are more than a multiple of another.
    """
    maker = FormMaker(program, symmetric=context.symmetric)
    done: dict[str, Equation] = {}
    hidden: dict[str, Equation] = {}
    met: dict[tuple[object, ...], tuple[Block, Adjoint, Derivative]] = {}
    out = []
    for adjoint in adjoints:
        context.used.clear()
        block = _block(adjoint, done, hidden, context)
        known = met.get(block.key) if block is not None else None
        if known is not None and block is not None:
            derivative = _carried_over(known, adjoint, of, block)
        else:
            derivative = presented(adjoint, of, done, hidden, maker, context)
            if block is not None and block.covers(derivative.equation.rhs):
                met[block.key] = block, adjoint, derivative
        kept = adjoint.of in apart and is_composed(derivative.equation.rhs)
        if kept:
            derivative = replace(derivative, equation=replace(derivative.equation, hidden=False))
        done[adjoint.name] = derivative.equation
        if adjoint.hidden and not kept:
            hidden[adjoint.name] = derivative.equation
        else:
            out.append(derivative)
    return tuple(out)


def _block(
    adjoint: Adjoint, done: dict[str, Equation], hidden: dict[str, Equation], context: Context
) -> Block | None:
    """The adjoint's block, widened by the adjoints of its consumers that are written out, or may be
    put, in it: the two together decide the form.
    """
    if adjoint.block is None:
        return None
    used = [c for c in adjoint.consumers if PREFIX + c in hidden or _may_cancel(done, c)]
    if not used:
        return adjoint.block
    numbers = {name: k for k, name in enumerate(adjoint.block.names)}
    key: list[object] = [adjoint.block.key]
    for c in used:
        upper = done[PREFIX + c]
        key.append((adjoint.consumers.index(c), upper.indices, anonymous(upper.rhs, numbers)))
    listed = tuple(numbers)
    for name in listed[len(adjoint.block.names) :]:
        key.append((context.kinds.get(name, frozenset()), context.sums_of(name)))
    # Which of the names is the adjoint of which, so that both change their names together.
    key.append(tuple(numbers.get(PREFIX + name) for name in listed))
    return Block(tuple(key), listed)


def _carried_over(
    known: tuple[Block, Adjoint, Derivative], adjoint: Adjoint, of: str, block: Block
) -> Derivative:
    """The derivative of an equal block with names exchanged; ``adjoint`` has its steps already."""
    model, derivative, renaming = known[1], known[2], known[0].renaming(block)
    equation = Equation(
        adjoint.name,
        adjoint.indices,
        rename(derivative.equation.rhs, renaming),
        rename_term(derivative.equation.term, renaming),
        adjoint.hidden,
    )
    further = (
        Step(
            rename_term(s.form, renaming) if isinstance(s.form, Term) else rename(s.form, renaming),
            _put_in_reason(adjoint) if s.because == _put_in_reason(model) else s.because,
        )
        for s in derivative.steps[len(model.steps) :]
    )
    steps, shape = (*adjoint.steps, *further), equation.shape
    facts = tuple(replace(f, name=renaming.get(f.name, f.name)) for f in derivative.facts)
    return Derivative(of, (adjoint.of,), "gradient", shape, equation, steps, facts)


def _put_in_reason(adjoint: Adjoint) -> str:
    return f"put {', '.join(f'∇{c}' for c in adjoint.consumers)} in and simplify"


def presented(
    adjoint: Adjoint,
    of: str,
    done: dict[str, Equation],
    hidden: dict[str, Equation],
    maker: FormMaker,
    context: Context,
) -> Derivative:
    """The derivative that an adjoint is, in its cheapest form, with complete steps."""
    given = _write_out(adjoint.entry, hidden, context)
    best = cheapest(given, adjoint.indices, maker, context)
    steps = list(adjoint.steps)
    if given != adjoint.entry:
        steps.append(Step(given, "chain rule through the subexpressions of the equation"))
    shorter = _put_in(best, adjoint, given, done, maker, context)
    if shorter is not None:
        best = shorter
        steps.append(Step(best.entry, _put_in_reason(adjoint)))
    elif best.entry != given:
        steps.append(Step(best.entry, "collect"))
    equation = Equation(adjoint.name, adjoint.indices, best.entry, best.term, adjoint.hidden)
    steps.append(
        Step(best.term, "read as a matrix formula" if adjoint.indices else "as a formula of arrays")
    )
    return Derivative(
        of, (adjoint.of,), "gradient", equation.shape, equation, tuple(steps), tuple(context.used)
    )


def _write_out(entry: Expr, hidden: dict[str, Equation], context: Context) -> Expr:
    used = tuple(hidden[n] for n in entry_names(entry) if n in hidden)
    return normalise(inline(entry, used), context) if used else entry


def cheapest(entry: Expr, indices: tuple[Index, ...], maker: FormMaker, context: Context) -> Form:
    """The candidate of ``entry`` whose lift costs least, the first of equals; each is lowered back
    before it is believed.
    """
    forms = [maker.form(e, indices) for e in candidates(entry, context)]
    for form in sorted(forms, key=lambda form: form.price):
        if maker.says_the_same(form, indices):
            return form
    return maker.by_entries(entry, indices)


def _put_in(
    best: Form,
    adjoint: Adjoint,
    given: Expr,
    done: dict[str, Equation],
    maker: FormMaker,
    context: Context,
) -> Form | None:
    """The form with the consumers' adjoints put in, if that is shorter."""
    upper = tuple(
        done[PREFIX + c]
        for c in adjoint.consumers
        if PREFIX + c in entry_names(given) and _may_cancel(done, c)
    )
    if not upper:
        return None
    entry = normalise(inline(given, upper), context)
    longest = LONG_SUM if entry.has(IndexSum) else LONG
    if _size(entry) > max(longest, _size(given)):
        return None
    form = cheapest(entry, adjoint.indices, maker, context)
    return form if form.price < best.price else None


def _size(e: Basic) -> int:
    """How many entries are written in ``e``."""
    return 1 if isinstance(e, Entry) else sum(_size(a) for a in e.args if a.args)


def _may_cancel(done: dict[str, Equation], consumer: str) -> bool:
    """Only an adjoint with a denominator can cancel against the slope that it is multiplied
    with.
    """
    equation = done.get(PREFIX + consumer)
    if equation is None:
        return False
    return any(p.exp.is_negative and entries(p.base) for p in equation.rhs.atoms(Pow))


def in_jacobian_layout(
    derivatives: tuple[Derivative, ...], program: Program
) -> tuple[Derivative, ...]:
    """The derivatives with every matrix adjoint transposed, on both sides of every equation."""
    turned = {d.equation.name for d in derivatives if len(d.shape) == 2}
    maker = FormMaker(program, turned)
    out = []
    for d in derivatives:
        indices = d.equation.indices[::-1] if d.equation.name in turned else d.equation.indices
        form = maker.form(_turn(d.equation.rhs, turned), indices)
        equation = replace(d.equation, indices=indices, rhs=form.entry, term=form.term)
        steps = tuple(
            Step(_turn(s.form, turned), s.because) for s in d.steps if not isinstance(s.form, Term)
        )
        out.append(
            replace(
                d,
                shape=equation.shape,
                equation=equation,
                steps=(*steps, Step(form.term, d.steps[-1].because)),
            )
        )
    return tuple(out)


def _turn(e: Expr, names: Collection[str]) -> Expr:
    """``e`` with the two indices of each named array exchanged."""
    return replace_entries(
        e, {name: lambda entry: Entry(entry.args[0], *entry.indices[::-1]) for name in names}
    )

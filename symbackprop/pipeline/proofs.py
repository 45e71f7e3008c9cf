"""``prove "A == B"``: an identity read from text, decided, and told as steps or as the smallest
counterexample.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import mpmath
import numpy as np
from sympy import Expr

from symbackprop.algebra.knowledge import inline_in_turn
from symbackprop.algebra.prove import decide
from symbackprop.errors import Malformed, Span
from symbackprop.ir.expressions import entry_names
from symbackprop.ir.letters import letters
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.terms import Shape, Term, entries, names_in, same_shape, show_shape
from symbackprop.ir.verdict import Different, Equal, Verdict, Witness
from symbackprop.library.functions import RULES
from symbackprop.library.scopes import scope_of
from symbackprop.matrix.lower import entry as lowered_entry
from symbackprop.network.model import Model
from symbackprop.notation import syntax
from symbackprop.notation.elaborate import Scope, elaborate, elaborate_entry
from symbackprop.notation.elaborate_entries import elaborate_equation
from symbackprop.notation.text_printer import show, show_entry
from symbackprop.notation.text_reader import read_expression
from symbackprop.notation.words import CONSTANTS
from symbackprop.pipeline.compilation import program_of

LARGEST_WRITTEN = 10**40
ANONYMOUS = "_"  # a name that no user can write
WORDS = {Equal: "proved", Different: "refuted"}


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of an identity: the verdict, and the proof or the counterexample."""

    left: Term
    right: Term
    decision: Verdict
    named: tuple[Equation, ...] = ()  # whole matrices that the lines call by a number

    @property
    def verdict(self) -> str:
        """``proved``, ``refuted`` or ``undecided``."""
        return WORDS.get(type(self.decision), "undecided")

    @property
    def statement(self) -> str:
        """The identity as it was understood."""
        return f"{show(self.left)} == {show(self.right)}"

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """The lines of the proof, each with its reason; empty if there is none."""
        if not isinstance(self.decision, Equal):
            return ()
        shown = tuple(
            (f"{show_entry(a)} == {show_entry(b)}", why) for a, b, why in self.decision.lines
        )
        return (
            *shown,
            *((text, "a matrix inside") for text in self._meanings()),
            *(("the difference", sentence) for sentence in self.decision.by),
        )

    def _meanings(self) -> list[str]:
        """What the lines call by a number: ``_1 = eye(m) + Q @ P``."""
        return [f"{e.name} = {show(e.term)}" for e in self.named]

    def as_json(self) -> dict[str, Any]:
        """The document of ``prove --json``."""
        out: dict[str, Any] = {"schema": 1, "verdict": self.verdict, "statement": self.statement}
        if isinstance(self.decision, Equal):
            out["steps"] = [{"text": text, "because": why} for text, why in self.steps]
            out["facts"] = [str(f) for f in self.decision.facts]
        elif isinstance(self.decision, Different):
            out["counterexample"] = witness_json(self.decision.witness)
        else:
            out["why"] = self.decision.why
        return out

    def __str__(self) -> str:
        lines = [f"{self.verdict}: {self.statement}"]
        if isinstance(self.decision, Equal):
            width = min(
                max(
                    (len(show_entry(a) + show_entry(b)) + 4 for a, b, _ in self.decision.lines),
                    default=0,
                ),
                78,
            )
            for a, b, why in self.decision.lines:
                lines.append(f"  {f'{show_entry(a)} == {show_entry(b)}':<{width}}   ({why})")
            lines += [f"  with {text}" for text in self._meanings()]
            steps = "; ".join(self.decision.by)
            lines.append(f"  the difference vanishes: {steps or 'both sides are the same'}")
            if self.decision.facts:
                lines.append(
                    "  using " + ", ".join(dict.fromkeys(str(f) for f in self.decision.facts))
                )
        elif isinstance(self.decision, Different):
            lines.append(witness_text(self.decision.witness))
        else:
            lines.append(f"  {self.decision.why}")
        return "\n".join(lines)


def prove(text: str, model: Model | None = None) -> Proof:
    """Decide an identity ``A == B``.

    Parameters
    ----------
    text : str
        Two expressions of the model language with ``==`` between them. Without a model every name
        that is not declared is a real scalar.
    model : Model, optional
        Whose names and facts the expressions may use.

    Raises
    ------
    Malformed
        If ``text`` is not an equation of two expressions whose shapes fit.
    """
    tree = read_expression(text, "<identity>")
    if not isinstance(tree, syntax.Comparison) or tree.op != "==":
        raise Malformed(
            "an identity A == B", "no == between two expressions", tree.span, 'prove "A == B"'
        )
    if model is None:
        program = _scalars(tree)
        scope = Scope(
            shapes={q.name: () for q in program.inputs}, expansions=scope_of(program).expansions
        )
    else:
        program = program_of(model)
        scope = scope_of(program)
    left, right = _sides(tree, scope)
    shape = _common_shape(left, right, tree.span)
    names = (
        {q.name for q in program.inputs}
        | {e.name for e in program.equations}
        | {d.name for d in program.dims}
    )
    indices = letters(shape, names)
    lhs, extra = lowered_entry(left, indices if left.rank else (), program)
    program = program.extended(extra)
    rhs, extra = lowered_entry(right, indices if right.rank else (), program)
    program = program.extended(extra)
    decision = _written_out(decide(lhs, rhs, program), program)
    return Proof(left, right, decision, _named_in(decision, program))


def _named_in(decision: Verdict, program: Program) -> tuple[Equation, ...]:
    """The nameless matrices that the lines of a proof still speak of, in order."""
    if not isinstance(decision, Equal):
        return ()
    hidden = [e for e in program.equations if e.hidden]
    seen = {n for a, b, _ in decision.lines for n in entry_names(a) | entry_names(b)}
    for equation in reversed(hidden):
        if equation.name in seen:
            seen |= names_in(equation.term)
    return tuple(e for e in hidden if e.name in seen)


def _written_out(decision: Verdict, program: Program) -> Verdict:
    """The decision with nameless subexpressions written out in the lines of its proof."""
    hidden = tuple(e for e in reversed(program.equations) if e.hidden)
    if not hidden or not isinstance(decision, Equal):
        return decision
    shown: dict[tuple[Expr, Expr], str] = {}
    for left, right, why in decision.lines:
        sides = inline_in_turn(left, hidden), inline_in_turn(right, hidden)
        shown.setdefault(sides, why)
    return replace(decision, lines=tuple((a, b, why) for (a, b), why in shown.items()))


def _sides(tree: syntax.Comparison, scope: Scope) -> tuple[Term, Term]:
    """Both sides: arrays, or entries where free indices occur, which range over the same values on
    both sides.
    """
    free = _index_names(tree, scope)
    if not free:
        return elaborate(tree.left, scope), elaborate(tree.right, scope)
    both = syntax.Binary(tree.span, "-", tree.left, tree.right)
    whole = syntax.Equation(tree.span, syntax.Name(tree.span, ANONYMOUS), free, both)
    indices = elaborate_equation(whole, scope).attrs[0]
    inner = replace(scope, indices={i.name: i for i in indices})
    left, right = (entries(indices, elaborate_entry(x, inner)) for x in (tree.left, tree.right))
    return left, right


def _index_names(tree: syntax.Tree, scope: Scope) -> tuple[syntax.Name, ...]:
    """Names in the brackets of declared arrays that are free indices: unknown, and bound by no sum
    around them.
    """
    found: dict[str, syntax.Name] = {}

    def visit(x: syntax.Tree, bound: frozenset[str]) -> None:
        if isinstance(x, syntax.Reduction):
            bound |= {i.text for i in x.indices}
        if isinstance(x, syntax.Subscript):
            for item in x.items:
                if isinstance(item, syntax.Name) and item.text not in bound:
                    if not scope.declares(item.text):
                        found.setdefault(item.text, item)
        for child in syntax.children(x):
            visit(child, bound)

    visit(tree, frozenset())
    return tuple(found.values())


def _common_shape(left: Term, right: Term, span: Span) -> Shape:
    if left.rank and right.rank and not same_shape(left.shape, right.shape):
        sides = (f"{show(side)} is {show_shape(side.shape)}" for side in (left, right))
        raise Malformed("two sides of one shape", " and ".join(sides), span)
    return left.shape or right.shape


def _scalars(tree: syntax.Tree) -> Program:
    """A program whose inputs are the names of ``tree``, as real scalars."""
    names = sorted({n for n in _names(tree) if n not in CONSTANTS})
    return Program((), tuple(Quantity(n, (), "data") for n in names), (), (), (), "", rules=RULES)


def _names(tree: Any) -> set[str]:
    """Names that stand for values: not those that are called."""
    if isinstance(tree, syntax.Name):
        return {tree.text}
    if isinstance(tree, tuple):
        return set().union(*(_names(t) for t in tree)) if tree else set()
    if not is_dataclass(tree) or isinstance(tree, Span):
        return set()
    inner = (getattr(tree, f.name) for f in fields(tree) if f.name != "span")
    if isinstance(tree, syntax.Call):
        inner = (getattr(tree, f.name) for f in fields(tree) if f.name not in ("span", "function"))
    return set().union(*(_names(t) for t in inner))


def plain_value(value: Any) -> Any:
    """A number or nested list that JSON can hold: integers as such, fractions as text, others as
    floats.
    """
    if isinstance(value, np.ndarray):
        return plain_value(value.tolist())
    if isinstance(value, list):
        return [plain_value(v) for v in value]
    if getattr(value, "denominator", None) == 1 and abs(value) < LARGEST_WRITTEN:
        return int(value)
    if (
        hasattr(value, "denominator")
        and max(abs(value.numerator), value.denominator) < LARGEST_WRITTEN
    ):
        return str(value)
    short = mpmath.mpf(getattr(value, "numerator", value)) / getattr(value, "denominator", 1)
    held = np.isfinite(float(short)) and (float(short) != 0 or short == 0)
    return float(short) if held else mpmath.nstr(short, 6)  # beyond the range of floats: as text


def witness_json(witness: Witness) -> dict[str, Any]:
    """A counterexample as JSON."""
    return {
        "dims": dict(witness.dims),
        "values": {name: plain_value(v) for name, v in witness.values.items()},
        "functions": dict(witness.functions),
        "entry": dict(witness.entry),
        "claimed": plain_value(witness.claimed),
        "true": plain_value(witness.true),
    }


def witness_text(witness: Witness) -> str:
    """A counterexample for a terminal."""
    shown = witness_json(witness)
    at = [f"{k} = {v}" for part in ("dims", "values", "functions") for k, v in shown[part].items()]
    lines = [f"  at {', '.join(at)}"] if at else []
    entry = (
        f" (entry {', '.join(f'{k} = {v}' for k, v in shown['entry'].items())})"
        if shown["entry"]
        else ""
    )
    lines.append(f"  the left side is {shown['claimed']}, the right side is {shown['true']}{entry}")
    return "\n".join(lines)

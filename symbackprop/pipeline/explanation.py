"""``explain TOPIC``: one page on a row of the library: definition, slope, convention, identities,
each checked as it is said.
"""

from __future__ import annotations

from difflib import get_close_matches

from symbackprop.errors import Malformed
from symbackprop.ir.functions import PRIMITIVES
from symbackprop.library.activations import ACTIVATIONS, REMARKS, Activation
from symbackprop.library.identities import IDENTITIES
from symbackprop.library.losses import LOSSES, Loss
from symbackprop.notation.text_printer import show_entry
from symbackprop.pipeline.proofs import prove


def topics() -> tuple[str, ...]:
    """Every topic that :func:`explain` knows, in alphabetical order."""
    return tuple(
        sorted(
            {a.name for a in ACTIVATIONS}
            | {loss.name for loss in LOSSES}
            | set(REMARKS)
            | set(PRIMITIVES)
        )
    )


def explain(topic: str) -> str:
    """One page on a row of the library.

    Parameters
    ----------
    topic : str
        The name of a scalar function, of softmax, or of a loss.

    Raises
    ------
    Malformed
        For a topic that has no row; the nearest names are told.
    """
    for activation in ACTIVATIONS:
        if activation.name == topic:
            return _page(topic, *_activation(activation), *_identities(topic))
    for loss in LOSSES:
        if loss.name == topic:
            return _page(topic, *_loss(loss))
    if topic in PRIMITIVES:
        rule = PRIMITIVES[topic].rule
        operands = ", ".join(str(p) for p in rule.parameters)
        slopes = [f"slope       {show_entry(s)}" for s in rule.slopes]
        zero = [f"convention  {rule.at_zero}"] if rule.at_zero else []
        return _page(
            topic,
            f"primitive   {topic}({operands})",
            *slopes,
            *zero,
            *_remark(topic),
            *_identities(topic),
        )
    if topic in REMARKS:
        return _page(topic, *_remark(topic), *_identities(topic))
    near = get_close_matches(topic, topics(), n=3) or list(topics())
    raise Malformed("a topic of the library", repr(topic), hint=" or ".join(near))


def _page(topic: str, *lines: str) -> str:
    return "\n".join([topic, "=" * len(topic), *lines])


def _activation(row: Activation) -> list[str]:
    operands = ", ".join(["z", "alpha"][: len(row.slopes)])
    lines = [f"definition  {row.name}({operands}) = {row.definition}"]
    lines += [f"slope       {s}" for s in row.slopes]
    if row.at_zero:
        lines.append(f"convention  {row.at_zero}")
    return lines + ([f"remark      {row.remark}"] if row.remark else [])


def _loss(row: Loss) -> list[str]:
    lines = [f"definition  {row.name}({', '.join(row.parameters)}) = {row.definition}"]
    lines.append(
        f"gradient    by {row.parameters[0]}: {row.gradient}"
        + (f", where {row.parameters[1]} is {row.fact.split()[-1]}" if row.fact else "")
    )
    return lines + ([f"remark      {row.remark}"] if row.remark else [])


def _remark(topic: str) -> list[str]:
    return [f"remark      {REMARKS[topic]}"] if REMARKS.get(topic) else []


def _identities(topic: str) -> list[str]:
    """The identities that mention the function, each with the prover's verdict."""
    lines = []
    for row in IDENTITIES:
        if f"{topic}(" in row.left + row.right:
            verdict = prove(f"{row.left} == {row.right}").verdict
            lines.append(f"{verdict:<10}  {row.left} == {row.right}   ({row.says})")
    return lines

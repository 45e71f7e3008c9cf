"""A Hessian as one product ``Jᵀ J`` of a matrix over the samples, plus curvature.

``J`` has a row for each sample and the parameters side by side, so that NumPy multiplies it with
its own transpose by one symmetric product. The blocks that are returned are views of that one
matrix; the curvature is added on the diagonals of these views.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase

from symbackprop.backends.numpy.arguments import as_tuple
from symbackprop.backends.numpy.layout import commented
from symbackprop.backends.numpy.names import unused
from symbackprop.backends.numpy.passes import Passes
from symbackprop.backends.numpy.plan import Statement
from symbackprop.ir.derivation import Curvature, GaussNewton


def hessian_lines(p: Passes, structure: GaussNewton) -> list[str]:
    """The lines of ``hessian`` for a Hessian of this structure."""
    own = set(p.names.values())
    whole, blocks = unused("J", own), unused("blocks", own)
    stretches = {key: name for name, key in structure.jacobian.items()}
    body = [line for s in p.used_forward() for line in p.line(s)]
    fills: list[str] = []
    for s in p.plan.backward:
        if s.key in stretches:
            fills += _filled(p, s)
        else:
            (fills if fills else body).extend(p.line(s))
    shapes = {name: p.writer.shape(p.program.shape_of(name)) for name in structure.jacobian}
    listed = as_tuple(list(shapes.values()))
    samples = p.writer.extent(structure.samples)
    made = [p.names[key] for key in structure.jacobian.values()]
    body += commented(
        [f"{whole}, {', '.join(made)} = _side_by_side({samples}, {listed}, dtype)"],
        f"{whole} has a row for each sample, and a stretch for each parameter",
    )
    body += fills
    sign = "-" if structure.sign < 0 else ""
    table = "{" + ", ".join(f'"{name}": {shape}' for name, shape in shapes.items()) + "}"
    square = f"-({whole}.T @ {whole})" if sign else f"{whole}.T @ {whole}"
    body += commented([f"{blocks} = _blocks({square}, {table})"], f"Gauss–Newton: {sign}Jᵀ J")
    for c in structure.curvature:
        body += _added(p, c, blocks)
    return [*p.opening(body), *body, f"return {blocks}"]


def _filled(p: Passes, s: Statement) -> list[str]:
    """A stretch of J computed in place."""
    target, term = p.names[s.key], s.term
    if term.op == "mul" and term.shape:
        factors = ", ".join(p.writer.factor(a, 0) for a in term.args)
        return commented([f"np.multiply({factors}, out={target})"], p.mathematics(s))
    return commented([f"{target}[...] = {p.writer.source(term)}"], p.mathematics(s))


def _added(p: Passes, c: Curvature, blocks: str) -> list[str]:
    """Curvature added to its block, and to the mirrored one."""
    parts = [p.names[key] for key in c.parts]
    value = parts[0] if len(parts) == 1 else f"_curvature({', '.join(parts)})"
    rows, columns, out = _letters(p, c)
    lines = []
    if c.first != c.second and len(parts) > 1:
        name = unused("added", set(p.names.values()))
        lines.append(f"{name} = {value}")
        value = name
    lines.append(f"{_view(blocks, c.first, c.second, rows + columns, out)} += {value}")
    if c.first != c.second:
        lines.append(f"{_view(blocks, c.second, c.first, columns + rows, out)} += {value}")
    return commented(lines, f"curvature of {c.first} and {c.second}")


def _letters(p: Passes, c: Curvature) -> tuple[str, str, str]:
    """Subscripts of the rows and columns, tied ones equal, and of what is added."""
    ranks = [len(p.program.shape_of(name)) for name in (c.first, c.second)]
    rows, spare = ascii_lowercase[: ranks[0]], iter(ascii_lowercase[ranks[0] :])
    tied: Mapping[int, str] = {column: rows[row] for row, column in c.ties}
    columns = "".join(tied[k] if k in tied else next(spare) for k in range(ranks[1]))
    return rows, columns, rows + "".join(x for x in columns if x not in rows)


def _view(blocks: str, first: str, second: str, subscripts: str, out: str) -> str:
    block = f'{blocks}["{first}", "{second}"]'
    if subscripts == out:
        return f"{block}[...]"
    return f'np.einsum("{subscripts}->{out}", {block})[...]'

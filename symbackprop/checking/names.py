"""What a symbol stands for: the rules of naming, by rank; the first that fits is taken.

Definitions (the symbol map's, the document's own) exclude what comes after; then declared names, with layers, then with
indices; then rules of notation (the loss, gradients written ``dX`` or with a bar, the identity, extents); guesses last, and
marked. Every script must be used by the rule that is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sympy import Expr, Integer, pi

from symbackprop.checking.operations import power, transpose
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    cheapest,
    dearer,
    position,
)
from symbackprop.checking.scope import LOSSES, Definition, Scope
from symbackprop.checking.spellings import Scripts, is_letter, item_text, scripts_of, spellings
from symbackprop.ir.expressions import Apply, Compare, Delta, Entry, Index, free_indices, substitute
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Accent, Bracket, Mark, Name, Node, Number, Relation, Script

Rule = Callable[[Scripts, Node, Scope], Readings | None]


def resolve(scripts: Scripts, node: Node, scope: Scope) -> Readings:
    """The readings of a symbol with its indices, powers and transposes left out.

    Raises
    ------
    Unreadable
        If no rule knows it, or if one does and its indices do not fit.
    """
    for rule in RULES:
        found = rule(scripts, node, scope)
        if found:
            return found
    raise Unreadable("name", f"nothing called {said(node, scope)} is known", node)


def said(node: Node, scope: Scope) -> str:
    """The symbol in the writer's spelling."""
    return (
        scope.text[node.start : node.end]
        if node.start >= 0
        else " or ".join(spellings(node)[:1]) or "this"
    )


@read.register(Name)
@read.register(Accent)
@read.register(Script)
@read.register(Mark)
def _symbol(node: Name | Accent | Script | Mark, scope: Scope) -> Readings:
    scripts = scripts_of(node)
    scripts = _layer_or_power(scripts, scope)
    if isinstance(scripts.base, Name | Accent | Mark | Number):
        if (
            isinstance(scripts.base, Name)
            and scripts.base.text == "e"
            and scripts.powers
            and scope.shape("e") is None
        ):
            return _exponential(scripts, node, scope)
        found = resolve(scripts, node, scope)
    else:
        items = () if _is_norm(scripts) else scripts.items
        found = tuple(s for r in read(scripts.base, scope) for s in indexed(r, items, node, scope))
    for exponent in scripts.powers:
        found = power(found, read(exponent, scope), node)
    if scripts.turned != (scripts.primes % 2 == 1):
        found = tuple(transpose(r, node) for r in found)
    return found


def _is_norm(scripts: Scripts) -> bool:
    """Whether the subscripts are those of the Euclidean or Frobenius norm, which is what bars alone mean."""
    base = scripts.base
    return (
        isinstance(base, Bracket)
        and base.kind == "‖"
        and [item_text(i) for i in scripts.items] in (["2"], ["F"])
    )


def _layer_or_power(scripts: Scripts, scope: Scope) -> Scripts:
    """A number after ^ is a layer if the name with that number is declared, else a power: never both."""
    if len(scripts.powers) != 1 or not isinstance(scripts.powers[0], Number) or scripts.layers:
        return scripts
    number = scripts.powers[0]
    for name in spellings(scripts.base):
        if scope.shape(name + number.text) is not None or (name, (number.text,)) in scope.patterns:
            return replace(scripts, layers=(number,), powers=())
    return scripts


def _exponential(scripts: Scripts, node: Node, scope: Scope) -> Readings:
    (exponent,) = scripts.powers[:1]
    return tuple(replace(r, expr=Apply("exp", r.expr)) for r in read(exponent, scope))


def indexed(
    r: Reading, items: tuple[Node, ...], node: Node, scope: Scope, first: int = 1
) -> Readings:
    """A reading with its leading positional axes at the given scripts; ``first`` is where counting begins."""
    if not items:
        return (r,)
    if len(items) > r.rank:
        raise Unreadable(
            "shape", f"{said(node, scope)} has {len(items)} indices, the array has {r.rank}", node
        )
    mapping: dict[Index, Expr] = {}
    kept = []
    for axis, item in zip(r.axes, items, strict=False):
        if isinstance(item, Mark) and item.text == ":":
            kept.append(axis)
        else:
            mapping[axis] = _place(item, axis, node, scope, first)
    return (
        array(
            substitute(r.expr, mapping),
            (*kept, *r.axes[len(items) :]),
            row=r.row,
            cost=r.cost,
            notes=r.notes,
            guessed=r.guessed,
        ),
    )


def _place(item: Node, axis: Index, node: Node, scope: Scope, first: int) -> Expr:
    """An index expression: a letter, a number (counted from ``first``), or an extent, which is the last entry."""
    if isinstance(item, Number) and item.text.isdigit():
        return Integer(int(item.text) - first)
    if isinstance(item, Name) and item.text in scope.dims:
        if not same_extent(scope.dims[item.text], axis.extent):
            raise Unreadable(
                "shape", f"the index {item.text} is no place on an axis of {axis.extent}", node
            )
        return axis.extent - 1
    if is_letter(item):
        assert isinstance(item, Name), "a letter is a name"
        return Index(item.text, axis.extent)
    raise Unreadable("notation", f"{item_text(item) or 'this'} is no index that can be read", item)


def whole(name: str, scope: Scope) -> Reading:
    """The array ``name`` with positional axes."""
    shape = scope.shape(name)
    assert shape is not None, "whole() is asked for known names"
    axes = tuple(position(k, e) for k, e in enumerate(shape))
    return Reading(Entry(name, *axes), axes)


def _defined(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """A definition of exactly this symbol, at its letters, as a whole, or as an array that is indexed here."""
    texts = tuple(item_text(i) for i in scripts.items)
    told = node if scripts.items else scripts.base
    for name in spellings(scripts.base)[:1]:
        exact = scope.patterns.get((name, texts))
        if exact is not None:
            return _noted(exact, told, scope)
        for (base, pattern), definition in scope.patterns.items():
            if base != name or ("*" not in pattern and pattern != ()):
                continue
            found = _instance(definition, pattern, scripts.items, texts, node, scope)
            if found is not None:
                return _noted(replace(definition, readings=found), told, scope)
    return None


def _instance(
    definition: Definition,
    pattern: tuple[str, ...],
    items: tuple[Node, ...],
    texts: tuple[str, ...],
    node: Node,
    scope: Scope,
) -> Readings | None:
    arrays = tuple(_as_array(r, definition.letters) for r in definition.readings)
    if len(pattern) == len(items) and all(
        p in ("*", t) for p, t in zip(pattern, texts, strict=True)
    ):
        places = tuple(i for i, p in zip(items, pattern, strict=True) if p == "*")
        return tuple(s for r in arrays for s in indexed(r, places, node, scope))
    if not items:
        return arrays
    if not pattern:
        return tuple(s for r in arrays for s in indexed(r, items, node, scope))
    return None


def _as_array(r: Reading, letters: tuple[str, ...]) -> Reading:
    """The reading with the named indices ``letters`` as its leading positional axes."""
    named = {i.name: i for i in r.letters}
    leading = tuple(named[n] for n in letters if n in named)
    spread = tuple(Index(f"_s{k}", i.extent) for k, i in enumerate(leading))
    expr = substitute(r.expr, dict(zip(leading, spread, strict=True)))
    return array(
        expr,
        (*spread, *r.axes),
        row=r.row and not leading,
        cost=r.cost,
        notes=r.notes,
        guessed=r.guessed,
    )


def _noted(definition: Definition, node: Node, scope: Scope) -> Readings:
    scope.tell(node, definition.shown)
    return definition.readings


def _declared(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """A declared name, with as many scripts as belong to the name, and indices."""
    for spelled in spellings(scripts.base):
        for name, rest in _composites(spelled, scripts.items):
            if scope.shape(name) is not None:
                scope.tell(node if scripts.items else scripts.base, name)
                return indexed(whole(name, scope), rest, node, scope)
    return None


def _composites(spelled: str, items: tuple[Node, ...]) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """A base with the first k scripts taken into the name, the longest name first."""
    for k in range(len(items), -1, -1):
        joined = [item_text(i) for i in items[:k]]
        if all(joined):
            yield spelled + "".join(joined), items[k:]
            if k:
                yield spelled + "_" + "".join(joined), items[k:]


def _loss(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    base = scripts.base
    if isinstance(base, Name) and base.text in LOSSES and not scripts.items:
        scope.tell(node, scope.loss)
        return (whole(scope.loss, scope),)
    return None


def _gradient(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    r"""``dX``, ``\bar X``, ``\delta_X``: the gradient with respect to a declared X."""
    base = scripts.base
    inner: Scripts | None = None
    if isinstance(base, Accent) and base.accent == "bar":
        inner = replace(scripts, base=base.body)
    elif isinstance(base, Name) and len(base.text) > 1 and base.text[0] == "d":
        inner = replace(scripts, base=Name(base.start, base.end, base.text[1:]))
    elif isinstance(base, Name) and base.text == "delta" and scripts.items:
        inner = Scripts(scripts.items[0], subs=scripts.items[1:])
    if inner is None or not isinstance(inner.base, Name | Accent):
        return None
    found = _defined(inner, node, scope) or _declared(inner, node, scope)
    if not found:
        return None
    gradients = tuple(
        gradient_of(r, node, scope)
        for r in found
        if isinstance(r.expr, Entry)
        and scope.gradient(r.expr) is not None
        and r.expr.name != scope.loss
    )
    if not gradients:
        return None
    if isinstance(gradients[0].expr, Entry):
        scope.tell(node, gradients[0].expr.name)
    return gradients


def gradient_of(r: Reading, node: Node, scope: Scope) -> Reading:
    """The true gradient of the loss with respect to the quantity or entry that a reading names."""
    entry = scope.gradient(r.expr) if isinstance(r.expr, Entry) else None
    if entry is None:
        raise Unreadable("name", f"no gradient with respect to {said(node, scope)}", node)
    return replace(r, expr=entry)


def _extent(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    base = scripts.base
    if isinstance(base, Name) and base.text in scope.dims and not scripts.items:
        return (Reading(scope.dims[base.text]),)
    if isinstance(base, Name) and base.text == "pi" and not scripts.items:
        return (Reading(pi),)
    return None


def _ones(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    r"""``1_N``, ``\mathbf 1``, ``\mathbf 1_{z>0}``."""
    base = scripts.base
    if not (
        (isinstance(base, Mark)
        and base.text == "ones")
        or (isinstance(base, Number)
        and base.text == "1")
    ):
        return None
    if not scripts.items:
        return tuple(_vector(e, 0.2) for e in scope.dims.values())
    (item,) = scripts.items if len(scripts.items) == 1 else (None,)
    if isinstance(item, Relation):
        return indicator(item, scope)
    if isinstance(item, Name) and item.text in scope.dims:
        return (_vector(scope.dims[item.text], 0.0),)
    return None


def _vector(extent: Expr, cost: float) -> Reading:
    return Reading(Integer(1), (position(0, extent),), cost=cost)


def indicator(node: Relation, scope: Scope) -> Readings:
    """The indicator of a comparison, entry by entry."""
    if (
        len(node.members) != 2
        or (node.relations[0] not in Compare.OPERATORS
        and node.relations[0] != "=")
    ):
        raise Unreadable("notation", "an indicator of one comparison is read", node)
    op = "==" if node.relations[0] == "=" else node.relations[0]
    out = []
    for a in read(node.members[0], scope):
        for b in read(node.members[1], scope):
            if b.rank == 0 or b.shape == a.shape:
                out.append(
                    replace(
                        a,
                        expr=Compare(op, a.expr, b.expr),
                        cost=a.cost + b.cost,
                        notes=a.notes | b.notes,
                        guessed=a.guessed | b.guessed,
                    )
                )
    if not out:
        raise Unreadable("shape", "the two sides of the comparison have different shapes", node)
    return tuple(out)


def _identity(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    base = scripts.base
    if not (isinstance(base, Name) and base.text == "I"):
        return None
    names = [item_text(i) for i in scripts.items]
    if len(names) > 1 or any(n not in scope.dims for n in names):
        return None
    extents = [scope.dims[names[0]]] if names else list(scope.dims.values())
    return tuple(
        Reading(
            Delta(position(0, e), position(1, e)),
            (position(0, e), position(1, e)),
            cost=0.0 if names else 0.2,
        )
        for e in extents
    )


def _kronecker(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    base = scripts.base
    if not (
        isinstance(base, Name)
        and base.text == "delta"
        and len(scripts.subs) == 2
        and all(map(is_letter, scripts.subs))
    ):
        return None
    i, j = (item_text(s) for s in scripts.subs)
    return tuple(Reading(Delta(Index(i, e), Index(j, e))) for e in scope.dims.values())


def _guessed(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """The name in the other case, or without its scripts: a guess, which never refutes."""
    for spelled in spellings(scripts.base)[:1]:
        other = spelled.swapcase()
        if len(spelled) == 1 and scope.shape(other) is not None:
            found = indexed(whole(other, scope), scripts.items, node, scope)
        elif len(spelled) == 1 and other in scope.dims and not scripts.items:
            found = (Reading(scope.dims[other]),)
        else:
            continue
        scope.tell(node, f"{other} (a guess)")
        return tuple(
            replace(dearer(r, 1.0, Note(f"{spelled} read as {other}")), guessed=r.guessed | {other})
            for r in found
        )
    return None


RULES: tuple[Rule, ...] = (
    _defined, _declared, _ones, _loss, _gradient, _kronecker, _extent, _identity, _guessed,
)  # fmt: skip


def letters_of(readings: Readings) -> dict[str, Index]:
    """The named indices of the cheapest reading."""
    return {
        i.name: i for r in cheapest(readings)[:1] for i in free_indices(r.expr) - frozenset(r.axes)
    }

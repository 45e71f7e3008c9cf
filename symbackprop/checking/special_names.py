"""Names by rules of notation: the loss, gradients written ``dX`` or with a bar, ones, the identity,
Kronecker's δ, extents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sympy import Expr, Integer, Mul, expand, pi

from symbackprop.checking.extents import extent_of
from symbackprop.checking.guesses import guesses
from symbackprop.checking.indexing import said, whole
from symbackprop.checking.known_names import declared, defined
from symbackprop.checking.lookups import delta_of_numbers
from symbackprop.checking.places import value_of
from symbackprop.checking.ranges import UPWARDS
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    combined,
    dearer,
    position,
)
from symbackprop.checking.reductions import reduced
from symbackprop.checking.scope import AS, LOSSES, Scope
from symbackprop.checking.spellings import Scripts, is_letter, item_text, scripts_of
from symbackprop.checking.told import shape_told
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    InRange,
    free_indices,
)
from symbackprop.notation.written import (
    Accent,
    Bracket,
    Juxt,
    Mark,
    Name,
    Node,
    Number,
    Relation,
    Terms,
)

MEAN = Note("a bar is taken for the mean", accepted=False)


def loss(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    base = scripts.base
    if isinstance(base, Name) and base.text in LOSSES and not scripts.items:
        if base.text not in scope.loss_names:
            return None
        loss = whole(scope.loss, scope)
        if base.text in scope.dims:
            return (Reading(scope.dims[base.text]), replace(loss, cost=0.5))
        scope.tell(node, scope.loss)
        return (loss,)
    return None


def gradient(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    r"""``dX``, ``\bar X``: the gradient with respect to a declared X."""
    found = _gradient(scripts, node, scope, lambda inner: defined(inner, node, scope)) or _gradient(
        scripts, node, scope, lambda inner: declared(inner, node, scope)
    )
    return found and (*found, *_mean(scripts, node, scope))


def _mean(scripts: Scripts, node: Node, scope: Scope) -> Readings:
    r"""``\bar x`` of a vector may be its mean: what is true so alone is not refuted."""
    base = scripts.base
    if not isinstance(base, Accent) or base.accent != "bar" or scripts.items:
        return ()
    inner = declared(replace(scripts, base=base.body), node, scope) or ()
    means = (reduced(r, (0,), mean=True) for r in inner if r.rank == 1)
    return tuple(dearer(r, 1.0, MEAN) for r in means)


def gradient_by_guess(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    r"""The same for a guessed X; ``\delta_X``, which may also be that of a pre-activation."""
    if isinstance(scripts.base, Name) and scripts.base.text == "delta":
        return _delta(scripts, node, scope)
    return _gradient(scripts, node, scope, lambda inner: guesses(inner, node, scope))


def _gradient(
    scripts: Scripts, node: Node, scope: Scope, find: Callable[[Scripts], Readings | None]
) -> Readings | None:
    base = scripts.base
    inner: Scripts | None = None
    if isinstance(base, Accent) and base.accent == "bar":
        inner = replace(scripts, base=base.body)
    elif isinstance(base, Name) and base.text[0] == "d" and base.text not in ("d", "delta"):
        inner = replace(scripts, base=Name(base.start, base.end, base.text[1:]))
    if inner is None or not isinstance(inner.base, Name | Accent):
        return None
    found = find(inner)
    if not found:
        return None
    if scope.directions is not None and isinstance(base, Name):
        return tuple(scope.directions.along(r, node) for r in found)
    known = tuple(
        r
        for r in found
        if isinstance(r.expr, Entry)
        and scope.gradient(r.expr) is not None
        and r.expr.name != scope.loss
    )
    if not known:
        return None
    if isinstance(base, Accent):
        return told_as_gradient(tuple(gradient_of(r, node, scope) for r in known), node, scope)
    return told_as_gradient(tuple(named_gradient(r, node, scope) for r in known), node, scope)


def told_as_gradient(gradients: Readings, node: Node, scope: Scope) -> Readings:
    """The readings of a gradient's name, of which the first is told."""
    entry = gradients[0].expr
    factor, name = Integer(1), ""
    for part in Mul.make_args(entry):
        if isinstance(part, Entry):
            name = part.name
        else:
            factor = factor * part
    if name:
        scope.tell(node, name if factor == 1 else f"{factor}*{name}")
    return gradients


def _delta(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    if not scripts.items:
        return None
    inner = scripts_of(scripts.items[0])
    inner = replace(inner, subs=inner.subs + scripts.items[1:])
    if not isinstance(inner.base, Name | Accent):
        return None
    found = declared(inner, node, scope) or guesses(inner, node, scope) or ()
    mark = frozenset((f"delta_{item_text(scripts.items[0])}{AS}a gradient",))
    scope.strong |= mark
    return tuple(
        replace(named_gradient(r, node, scope), cost=r.cost + 0.5, guessed=r.guessed | mark)
        for r in found
        if isinstance(r.expr, Entry) and scope.gradient(r.expr) is not None
    )


def gradient_of(r: Reading, node: Node, scope: Scope) -> Reading:
    """The true gradient of the loss with respect to the quantity or entry that a reading names."""
    entry = scope.gradient(r.expr) if isinstance(r.expr, Entry) else None
    if entry is None:
        raise Unreadable("name", f"no gradient with respect to {said(node, scope)}", node)
    return replace(r, expr=entry)


def named_gradient(r: Reading, node: Node, scope: Scope) -> Reading:
    """What a name made of that of a quantity stands for (``dZ``): its gradient, or the multiple of
    it as which the document defines the name.
    """
    found = gradient_of(r, node, scope)
    assert isinstance(r.expr, Entry), "only entries have gradients"
    factor = scope.scales.get(r.expr.name)
    return found if factor is None else replace(found, expr=factor * found.expr)


def extent(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    base = scripts.base
    if isinstance(base, Name) and scripts.items:
        joined = base.text + "_" + "".join(map(item_text, scripts.items))
        return (Reading(scope.dims[joined]),) if joined in scope.dims else None
    if isinstance(base, Name) and base.text in scope.dims and not scripts.items:
        alike = any(n != base.text and n.startswith(base.text) for n in scope.arrays)
        guess = (
            frozenset((f"{base.text}{AS}extent",)) if alike and len(base.text) == 1 else frozenset()
        )
        arrays = [n for n in scope.arrays if n[:-1] == base.text] if guess else []
        others = (
            replace(whole(n, scope), cost=0.5, guessed=frozenset((base.text + AS + n,)))
            for n in arrays
        )
        found = (Reading(scope.dims[base.text], guessed=guess), *others)
        return tuple(r for r in found if scope.allows(r.guessed)) or None
    if isinstance(base, Name) and base.text == "pi" and not scripts.items:
        return (Reading(pi),)
    return None


def ones(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    r"""``1_N``, ``\mathbf 1``, ``\mathbf 1_{z>0}``."""
    base = scripts.base
    if isinstance(base, Accent) and isinstance(base.body, Number) and base.body.text == "1":
        by_entry = Reading(Integer(1), cost=0.3)
        return (*(_vector(e, 0.2) for e in scope.dims.values()), by_entry)
    if not (
        (isinstance(base, Mark) and base.text == "ones")
        or (isinstance(base, Accent) and isinstance(base.body, Number) and base.body.text == "1")
        or (isinstance(base, Number) and base.text == "1")
    ):
        return None
    if not scripts.items:
        return tuple(_vector(e, 0.2) for e in scope.dims.values())
    (item,) = scripts.items if len(scripts.items) == 1 else (None,)
    if isinstance(item, Bracket) and len(item.items) == 1 and item.kind not in "⌊⌈":
        (item,) = item.items
    if isinstance(item, Relation):
        return indicator(item, scope)
    if isinstance(item, Name) and item.text in scope.dims:
        return (_vector(scope.dims[item.text], 0.0),)
    if isinstance(item, Number) and item.text.isdigit() and isinstance(base, Mark):
        return (_vector(Integer(int(item.text)), 0.0),)
    said = Juxt(node.start, node.end, scripts.items) if item is None else item
    long = extent_of(said, scope) if isinstance(said, Terms | Bracket | Juxt) else None
    return None if long is None else (_vector(long, 0.0),)


def zeros(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    r"""``\mathbf 0_{N \times M}``, ``0_N``."""
    base = scripts.base
    if not (isinstance(base, Number) and base.text == "0" and scripts.items):
        return None
    if len(scripts.items) > 1 and "," not in scope.text[base.end : node.end]:
        return None  # whether 0_{NM} has one axis or two is not said
    shape = shape_told(scripts.items, scope)
    return (Reading(Integer(0), tuple(position(k, e) for k, e in enumerate(shape))),)


def _vector(extent: Expr, cost: float) -> Reading:
    return Reading(Integer(1), (position(0, extent),), cost=cost)


def indicator(node: Relation, scope: Scope) -> Readings:
    """The indicator of a comparison, entry by entry, or of the place where a letter stands."""
    within = _of_places(node, scope)
    if within is not None:
        return (Reading(within),)
    make = INDICATORS.get(node.relations[0])
    if len(node.members) != 2 or make is None:
        raise Unreadable("notation", "an indicator of one comparison is read", node)
    if node.relations[0] in SAME and all(_is_index(m, scope) for m in node.members):
        i, j = (item_text(m) for m in node.members)
        same = [Delta(Index(i, e), Index(j, e)) for e in scope.dims.values()]
        return tuple(Reading(d if SAME[node.relations[0]] else 1 - d) for d in same)
    out = []
    for a in read(node.members[0], scope):
        for b in read(node.members[1], scope):
            if b.rank == 0 or b.shape == a.shape:
                out.append(replace(a, expr=make(a.expr, b.expr), **combined(a, b)))
    if not out:
        raise Unreadable("shape", "the two sides of the comparison have different shapes", node)
    return tuple(out)


def _of_places(node: Relation, scope: Scope) -> Expr | None:
    """The indicator of ``1 ≤ l + 1 - k ≤ K``, of ``l + k = i``; None if it is about values."""
    members = [value_of(m, scope, strict=True) for m in node.members]
    known = [m for m in members if m is not None]
    moving = [bool(free_indices(m)) for m in known]
    if len(known) < len(members) or not any(moving) or all(map(is_letter, node.members)):
        return None
    if len(known) == 3 and all(s in UPWARDS for s in node.relations):
        low, e, high = known
        low, high = low + UPWARDS[node.relations[0]], high - UPWARDS[node.relations[1]]
        return InRange(expand(e - low), expand(high - low + 1))
    if len(known) == 2 and node.relations[0] in COMPARED:
        return COMPARED[node.relations[0]](*known)
    return None


# fmt: off
COMPARED: dict[str, Callable[[Expr, Expr], Expr]] = {
    ">=": lambda a, b: Compare(">=", expand(a - b), 0),
    "<=": lambda a, b: Compare(">=", expand(b - a), 0),
    ">":  lambda a, b: Compare(">=", expand(a - b - 1), 0),
    "<":  lambda a, b: Compare(">=", expand(b - a - 1), 0),
    "=":  lambda a, b: Delta(expand(a - b), 0),
    "==": lambda a, b: Delta(expand(a - b), 0),
}
# fmt: on
SAME = {"=": True, "==": True, "!=": False}


def _is_index(node: Node, scope: Scope) -> bool:
    return is_letter(node) and scope.shape(item_text(node)) is None


def _step(e: Expr) -> Expr:
    return Apply("step", e)


# fmt: off
INDICATORS = {                   # by the step, whose value at 0 is 0, since slopes are written so
    ">":  lambda a, b: _step(a - b),
    "<":  lambda a, b: _step(b - a),
    ">=": lambda a, b: 1 - _step(b - a),
    "<=": lambda a, b: 1 - _step(a - b),
    "=":  lambda a, b: Compare("==", a, b),
    "==": lambda a, b: Compare("==", a, b),
    "!=": lambda a, b: Compare("!=", a, b),
}
# fmt: on


def identity(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
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


def kronecker(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """``δ_ij``, over the extent of a letter that is known, else over any of the model's; of places
    (``δ_{i+k,l}``) 1 where they agree.
    """
    base = scripts.base
    if not (isinstance(base, Name) and base.text == "delta" and len(scripts.subs) == 2):
        return None
    numbers = delta_of_numbers(scripts.subs, scope)
    if numbers is not None:
        return numbers
    if not all(map(is_letter, scripts.subs)):
        places = [value_of(s, scope) for s in scripts.subs]
        return None if None in places else (Reading(Delta(*places)),)
    i, j = (item_text(s) for s in scripts.subs)
    known = [scope.letters[x].extent for x in (i, j) if x in scope.letters]
    known += [scope.shown[x] for x in (i, j) if x in scope.shown]
    return tuple(Reading(Delta(Index(i, e), Index(j, e))) for e in (*known, *_extents(scope)))


def _extents(scope: Scope) -> dict[Expr, None]:
    """Over what letters may run: the dims, then the extents of the model's arrays."""
    axes = (e for name in scope.arrays for e in scope.shape(name) or ())
    return dict.fromkeys((*scope.dims.values(), *(e for e in axes if not e.is_Integer)))

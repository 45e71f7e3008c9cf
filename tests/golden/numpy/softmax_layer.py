"""The kernel of softmax-layer: forward and backward pass of h in NumPy.

Written by symbackprop 0.1.0 from the model softmax-layer, whose text has the hash
sha256:f5498bd4433117291862224605ef51a7dd579d4c6b68c874c138572e69e2f1af.
Regenerate with: symbackprop kernel softmax-layer

This file is the output of a tool and no part of it: the tool's licence does not reach it, and it
may be used, changed and passed on without condition. It needs NumPy and nothing else; run it to
check it against central differences.
"""

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.floating]]


def forward(
    *,
    x: Array,
    W: Array,
    b: Array,
) -> tuple[Array, dict[str, Array]]:
    """Compute ``h``, and keep what the derivatives need of the way to it.

    Parameters
    ----------
    x : array of shape (D,)
        Known data.
    W : array of shape (K, D)
        A parameter.
    b : array of shape (K,)
        A parameter.

    Returns
    -------
    h : array of shape (K,)
    cache : dict
        Arrays by name: x, h.
    """
    x, W, b = _checked(x, W, b)
    z = W @ x + b  # z = W x + b
    h = _softmax(z, axis=0)  # h = softmax(z)
    cache: dict[str, Array] = {"x": x, "h": h}
    return h, cache


def backward(
    cache: dict[str, Array],
    grad_h: Array,
) -> dict[str, Array]:
    """Compute the gradients of ``h`` from the cache of ``forward``.

    Parameters
    ----------
    cache : dict
        From ``forward``.
    grad_h : array of shape (K,)
        The gradient of a scalar of your own by ``h``.

    Returns
    -------
    grads : dict
        ``"W"``: array of shape (K, D)
        ``"b"``: array of shape (K,)
    """
    x, h = (cache[key] for key in ("x", "h"))
    grad_h = _array("grad_h", grad_h, x.dtype, "(K,)", (h.shape[0],))
    grad_z = h * (grad_h - grad_h @ h)  # ∇z = h ⊙ (∇h - ∇hᵀ h)
    grad_W = np.outer(grad_z, x)  # ∇W = ∇z xᵀ
    grad_b = grad_z.copy()  # ∇b = ∇z
    return {"W": grad_W, "b": grad_b}


def _checked(
    x: Array,
    W: Array,
    b: Array,
) -> tuple[Array, ...]:
    """The arguments as arrays of one dtype and of shapes that fit."""
    dtype = _dtype(x, W, b)
    x = _array("x", x, dtype, "(D,)", (None,))
    D = x.shape[0]
    W = _array("W", W, dtype, "(K, D)", (None, D))
    K = W.shape[0]
    b = _array("b", b, dtype, "(K,)", (K,))
    return x, W, b


def _dtype(*values: object) -> np.dtype[np.floating]:
    """The dtype of the first floating array, of a scalar if there is no array, else float64."""
    known = [np.asarray(v) for v in values if isinstance(v, np.ndarray | np.generic)]
    typed = [v for v in known if v.dtype.kind == "f"]
    typed.sort(key=lambda v: v.ndim == 0)
    return typed[0].dtype if typed else np.dtype(np.float64)


def _array(
    name: str,
    value: object,
    dtype: np.dtype[np.floating],
    shape: str,
    wanted: tuple[int | None, ...],
) -> Array:
    """``value`` as an array of ``dtype``, or an error that names the argument."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    pairs = zip(wanted, array.shape, strict=False)
    if array.ndim != len(wanted) or any(want not in (None, have) for want, have in pairs):
        sizes = ", ".join("any" if want is None else str(want) for want in wanted)
        raise ValueError(f"{name} must have shape {shape}, here ({sizes}), got {array.shape}")
    mixed = array.dtype.kind == "f" and array.dtype != dtype
    if mixed and array.ndim and isinstance(value, np.ndarray):
        raise TypeError(f"{name} must have dtype {dtype} as the first array, got {array.dtype}")
    return array.astype(dtype, copy=False)


def _softmax(z: Array, axis: int, out: Array | None = None) -> Array:
    """exp(z) / sum(exp(z)) along an axis, shifted by the maximum so that nothing overflows."""
    out = np.subtract(z, np.max(z, axis=axis, keepdims=True), out=out)
    np.exp(out, out=out)
    result: Array = np.divide(out, np.sum(out, axis=axis, keepdims=True), out=out)
    return result


def _self_test() -> float:
    """The largest relative error against central differences, at random data that fit the model."""
    rng = np.random.default_rng(0)
    D = 4
    K = 3
    given: dict[str, Array] = {
        "x": rng.standard_normal((D,)),
        "W": rng.standard_normal((K, D)),
        "b": rng.standard_normal((K,)),
    }

    output, cache = forward(**given)
    weight = rng.standard_normal(np.shape(output))
    derivatives = backward(cache, weight)
    error = 0.0
    for name, key in (("W", "W"), ("b", "b")):
        places = list(np.ndindex(given[name].shape))
        for place in (places[k] for k in rng.permutation(len(places))[:60]):
            sides = []
            for step in (1e-6, -1e-6):
                moved = {**given, name: given[name].copy()}
                moved[name][place] += step
                value, _ = forward(**moved)
                sides.append(np.sum(weight * value))
            slope = (sides[0] - sides[1]) / (2 * 1e-6)
            wrong = (
                np.abs(np.asarray(derivatives[key])[(..., *place)] - slope)
                / (1 + np.abs(slope))
            )
            error = max(error, float(np.max(wrong)))
    return error


if __name__ == "__main__":
    worst = _self_test()
    if not worst < 1e-6:
        print(f"wrong: max relative error {worst:.1e}")
        raise SystemExit(1)
    print(f"ok: max relative error {worst:.1e}")

"""The kernel of three-layer: forward and backward pass of L in NumPy.

Written by symbackprop 0.1.0 from the model three-layer, whose text has the hash
sha256:f715b6f967d24db057366965eb98ac26c42470b01c214d07ed2acb215fa65e3a.
Regenerate with: symbackprop kernel three-layer

This file is the output of a tool and no part of it: the tool's licence does not reach it, and it
may be used, changed and passed on without condition. It needs NumPy and nothing else; run it to
check it against central differences.
"""

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.floating]]
Scalar = np.floating | Array


def forward(
    *,
    X: Array,
    y: Array,
    W: Array,
    b: Array,
    theta: Array,
    c: float | Scalar,
    f: object,
) -> tuple[Scalar, dict[str, Array]]:
    """Compute ``L``, and keep what the derivatives need of the way to it.

    Parameters
    ----------
    X : array of shape (N, D)
        Known data.
    y : array of shape (N,)
        Known data.
    W : array of shape (M, D)
        A parameter.
    b : array of shape (M,)
        A parameter.
    theta : array of shape (M,)
        A parameter.
    c : float
        A parameter.
    f : callable
        Applied to an array, entry by entry.

    Returns
    -------
    L : float
    cache : dict
        Arrays by name: X, theta, Z, H, yhat_minus_y.
    """
    if not callable(f):
        raise TypeError(f"f must be callable, got {type(f).__name__}")
    X, y, W, b, theta, c = _checked(X, y, W, b, theta, c)
    Z = X @ W.T + b  # Z = X Wᵀ + b
    H = f(Z)  # H = f(Z)
    yhat = H @ theta + c  # yhat = H theta + c
    yhat_minus_y = yhat - y  # yhat_minus_y = yhat - y
    L = np.sum(np.square(yhat_minus_y))  # L = Σ_n (yhat - y)²
    cache: dict[str, Array] = {"X": X, "theta": theta, "Z": Z, "H": H, "yhat_minus_y": yhat_minus_y}
    return L, cache


def backward(
    cache: dict[str, Array],
    *,
    f_prime: object,
) -> dict[str, Scalar]:
    """Compute the gradients of ``L`` from the cache of ``forward``.

    Parameters
    ----------
    cache : dict
        From ``forward``.
    f_prime : callable
        The derivative of ``f``, entry by entry.

    Returns
    -------
    grads : dict
        ``"W"``: array of shape (M, D)
        ``"b"``: array of shape (M,)
        ``"theta"``: array of shape (M,)
        ``"c"``: float
    """
    if not callable(f_prime):
        raise TypeError(f"f_prime must be callable, got {type(f_prime).__name__}")
    X, theta, Z, H, yhat_minus_y = (cache[key] for key in ("X", "theta", "Z", "H", "yhat_minus_y"))
    grad_yhat = 2 * yhat_minus_y  # ∇yhat = 2 · (yhat - y)
    grad_theta = H.T @ grad_yhat  # ∇theta = Hᵀ ∇yhat
    grad_c = np.sum(grad_yhat)  # ∇c = Σ_n ∇yhat
    grad_H = np.outer(grad_yhat, theta)  # ∇H = ∇yhat thetaᵀ
    grad_Z = grad_H * f_prime(Z)  # ∇Z = ∇H ⊙ f′(Z)
    grad_W = grad_Z.T @ X  # ∇W = ∇Zᵀ X
    grad_b = np.sum(grad_Z, axis=0)  # ∇b = Σ_n ∇Z
    return {"W": grad_W, "b": grad_b, "theta": grad_theta, "c": grad_c}


def loss_and_grad(
    *,
    X: Array,
    y: Array,
    W: Array,
    b: Array,
    theta: Array,
    c: float | Scalar,
    f: object,
    f_prime: object,
    workspace: "Workspace | None" = None,
) -> tuple[Scalar, dict[str, Scalar]]:
    """Compute ``L`` and its gradients in one call.

    Parameters
    ----------
    X : array of shape (N, D)
        Known data.
    y : array of shape (N,)
        Known data.
    W : array of shape (M, D)
        A parameter.
    b : array of shape (M,)
        A parameter.
    theta : array of shape (M,)
        A parameter.
    c : float
        A parameter.
    f : callable
        Applied to an array, entry by entry.
    f_prime : callable
        The derivative of ``f``, entry by entry.
    workspace : Workspace, optional
        Arrays to compute in; the next call with the same workspace overwrites the results.

    Returns
    -------
    L : float
    grads : dict
        As from ``backward``.
    """
    if workspace is None:
        L, cache = forward(
            X=X,
            y=y,
            W=W,
            b=b,
            theta=theta,
            c=c,
            f=f,
        )
        return L, backward(cache, f_prime=f_prime)
    if not callable(f):
        raise TypeError(f"f must be callable, got {type(f).__name__}")
    if not callable(f_prime):
        raise TypeError(f"f_prime must be callable, got {type(f_prime).__name__}")
    X, y, W, b, theta, c = _checked(X, y, W, b, theta, c)
    ws = workspace.fits((X.shape[0], X.shape[1], W.shape[0]), X.dtype)
    # Z = X Wᵀ + b
    Z = np.matmul(X, W.T, out=ws.Z)
    np.add(Z, b, out=Z)
    H = f(Z)  # H = f(Z)
    # yhat = H theta + c
    yhat = np.matmul(H, theta, out=ws.yhat)
    np.add(yhat, c, out=yhat)
    yhat_minus_y = np.subtract(yhat, y, out=ws.yhat_minus_y)  # yhat_minus_y = yhat - y
    # L = Σ_n (yhat - y)²
    s1 = np.square(yhat_minus_y, out=ws.s1)
    L = np.sum(s1)
    grad_yhat = np.multiply(2, yhat_minus_y, out=ws.grad_yhat)  # ∇yhat = 2 · (yhat - y)
    grad_theta = np.matmul(H.T, grad_yhat, out=ws.grad_theta)  # ∇theta = Hᵀ ∇yhat
    grad_c = np.sum(grad_yhat)  # ∇c = Σ_n ∇yhat
    grad_H = np.outer(grad_yhat, theta, out=ws.grad_H)  # ∇H = ∇yhat thetaᵀ
    grad_Z = np.multiply(grad_H, f_prime(Z), out=ws.grad_Z)  # ∇Z = ∇H ⊙ f′(Z)
    grad_W = np.matmul(grad_Z.T, X, out=ws.grad_W)  # ∇W = ∇Zᵀ X
    grad_b = np.sum(grad_Z, axis=0, out=ws.grad_b)  # ∇b = Σ_n ∇Z
    return L, {"W": grad_W, "b": grad_b, "theta": grad_theta, "c": grad_c}


class Workspace:
    """Arrays for repeated calls of ``loss_and_grad`` without allocation.

    A workspace serves one set of sizes and one dtype, and one caller at a time: each call
    overwrites the arrays that the call before it returned.
    """

    def __init__(
        self,
        *,
        N: int,
        D: int,
        M: int,
        dtype: type[np.floating] | np.dtype[np.floating] = np.float64,
    ) -> None:
        self.sizes = (N, D, M)
        self.dtype = np.dtype(dtype)
        self.Z: Array = np.empty((N, M), dtype)
        self.yhat: Array = np.empty((N,), dtype)
        self.yhat_minus_y: Array = np.empty((N,), dtype)
        self.s1: Array = np.empty((N,), dtype)
        self.grad_yhat: Array = np.empty((N,), dtype)
        self.grad_theta: Array = np.empty((M,), dtype)
        self.grad_H: Array = np.empty((N, M), dtype)
        self.grad_Z: Array = np.empty((N, M), dtype)
        self.grad_W: Array = np.empty((M, D), dtype)
        self.grad_b: Array = np.empty((M,), dtype)

    def fits(self, sizes: tuple[int, ...], dtype: np.dtype[np.floating]) -> "Workspace":
        """The workspace itself, or an error if it was made for something else."""
        if self.sizes != sizes or self.dtype != dtype:
            made = f"made for (N, D, M) = {self.sizes} and {self.dtype}"
            raise ValueError(f"workspace was {made}, got {sizes} and {dtype}")
        return self


def fit(
    data: dict[str, Array],
    params: dict[str, Array],
    *,
    rate: float,
    epochs: int,
    batch: int | None = None,
    tolerance: float = 1e-9,
    seed: int = 0,
    callback: object = None,
    f: object,
    f_prime: object,
) -> tuple[dict[str, Array], list[float]]:
    """Repeat until convergence: θ ← θ - rate · ∇_θ L.

    Parameters
    ----------
    data : dict
        By name: X, y.
    params : dict
        Where to start, by name: W, b, theta, c. Never changed.
    rate : float
        Length of a step, in units of the gradient.
    epochs : int
        At most so many passes over the data.
    batch : int, optional
        Samples a step, in a new order each epoch: 1 is stochastic descent. All by default.
    tolerance : float
        Stop when the loss of an epoch differs from the last one's by less.
    seed : int
        Seed of the order of samples.
    callback : callable, optional
        Called after each epoch as ``callback(epoch, loss, params)``; the params
        are live, so copy what you keep; the descent stops if it returns True.
    f : callable
        Applied to an array, entry by entry.
    f_prime : callable
        The derivative of ``f``, entry by entry.

    Returns
    -------
    params : dict
        New arrays.
    history : list of float
        The loss of each epoch before its steps, the mean over its batches.
    """
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {type(callback).__name__}")
    if batch is not None and batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
    given = {
        "X": data["X"],
        "y": data["y"],
        "W": params["W"],
        "b": params["b"],
        "theta": params["theta"],
        "c": params["c"],
    }
    arrays = dict(zip(given, _checked(*given.values()), strict=True))
    params = {key: arrays[key].copy() for key in ("W", "b", "theta", "c")}
    count = arrays["X"].shape[0]
    size = count if batch is None else min(batch, count)
    rng = np.random.default_rng(seed)
    workspaces: dict[int, Workspace] = {}
    history: list[float] = []
    for epoch in range(epochs):
        order = rng.permutation(count)
        losses = []
        for start in range(0, count, size) if count else (0,):
            rows = order[start : start + size] if size < count else slice(None)
            have = min(size, count - start)
            if have not in workspaces:
                workspaces[have] = Workspace(
                    N=have,
                    D=arrays["X"].shape[1],
                    M=arrays["W"].shape[0],
                    dtype=arrays["X"].dtype,
                )
            value, grads = loss_and_grad(
                X=arrays["X"][rows],
                y=arrays["y"][rows],
                W=params["W"],
                b=params["b"],
                theta=params["theta"],
                c=params["c"],
                f=f,
                f_prime=f_prime,
                workspace=workspaces[have],
            )
            losses.append(float(value))
            for key in ("W", "b", "theta", "c"):
                params[key] -= rate * grads[key]
        history.append(sum(losses) / len(losses))
        if not np.isfinite(history[-1]):
            raise FloatingPointError(f"the loss of epoch {epoch} is not finite: lower the rate")
        if callable(callback) and callback(epoch, history[-1], params) is True:
            break
        if epoch and abs(history[-1] - history[-2]) < tolerance:
            break
    return params, history


def _checked(
    X: Array,
    y: Array,
    W: Array,
    b: Array,
    theta: Array,
    c: float | Scalar,
) -> tuple[Array, ...]:
    """The arguments as arrays of one dtype and of shapes that fit."""
    dtype = _dtype(X, y, W, b, theta, c)
    X = _array("X", X, dtype, "(N, D)", (None, None))
    N = X.shape[0]
    D = X.shape[1]
    y = _array("y", y, dtype, "(N,)", (N,))
    W = _array("W", W, dtype, "(M, D)", (None, D))
    M = W.shape[0]
    b = _array("b", b, dtype, "(M,)", (M,))
    theta = _array("theta", theta, dtype, "(M,)", (M,))
    c = _array("c", c, dtype, "()", ())
    return X, y, W, b, theta, c


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


def _self_test() -> float:
    """The largest relative error against central differences, at random data that fit the model."""
    rng = np.random.default_rng(0)
    N = 4
    D = 3
    M = 5
    given: dict[str, Array] = {
        "X": rng.standard_normal((N, D)),
        "y": rng.standard_normal((N,)),
        "W": rng.standard_normal((M, D)),
        "b": rng.standard_normal((M,)),
        "theta": rng.standard_normal((M,)),
        "c": np.array(rng.standard_normal()),
    }

    def f(z: Array) -> Array:
        at_z: Array = np.tanh(z)
        return at_z

    def f_prime(z: Array) -> Array:
        at_z: Array = 1 - np.tanh(z) ** 2
        return at_z

    _, derivatives = loss_and_grad(**given, f=f, f_prime=f_prime, workspace=None)
    workspace = Workspace(N=N, D=D, M=M)
    _, again = loss_and_grad(**given, f=f, f_prime=f_prime, workspace=workspace)
    error = 0.0
    for name, key in (("W", "W"), ("b", "b"), ("theta", "theta"), ("c", "c")):
        error = max(error, float(np.max(np.abs(again[key] - derivatives[key]))))
        places = list(np.ndindex(given[name].shape))
        for place in (places[k] for k in rng.permutation(len(places))[:60]):
            sides = []
            for step in (1e-6, -1e-6):
                moved = {**given, name: given[name].copy()}
                moved[name][place] += step
                value, _ = forward(**moved, f=f)
                sides.append(value)
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

"""Run one function of a user's file in a process of its own: ``python -I runner.py FOLDER``.

FOLDER has ``job.json`` (file, function, call, abstract functions, number of points) and
``given.npz`` (arrays, named ``k/name``); the function's answers go to ``found.npz`` and
``said.json``. Imports NumPy and nothing of the tool, so that the user's code meets no module of
ours. A call is read from its syntax tree: names, numbers, strings, tuples, lists, dicts, and calls,
attributes and items of what these give.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

# The abstract functions of a model are tanh here, as in the self-test of a kernel.
ABSTRACT: dict[str, Callable[..., Any]] = {
    "": np.tanh,
    "_prime": lambda z: 1 - np.tanh(z) ** 2,
    "_pprime": lambda z: -2 * np.tanh(z) * (1 - np.tanh(z) ** 2),
}


class Complaint(Exception):
    """What cannot be done, in words for the user."""


def loaded(path: Path) -> ModuleType:
    """The user's file as a module; its neighbours can be imported by it."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise Complaint(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def worth(node: ast.expr, names: dict[str, Any]) -> Any:
    """The value of an expression of a call."""
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise Complaint(f"{node.id} is neither a name of the model nor of the file")
        return names[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        return tuple(worth(n, names) for n in node.elts)
    if isinstance(node, ast.List):
        return [worth(n, names) for n in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [worth(k, names) for k in node.keys if k is not None]
        return dict(zip(keys, (worth(v, names) for v in node.values), strict=True))
    if isinstance(node, ast.Attribute):
        return getattr(worth(node.value, names), node.attr)
    if isinstance(node, ast.Subscript):
        return worth(node.value, names)[worth(node.slice, names)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -worth(node.operand, names)
    if isinstance(node, ast.Call):
        function = worth(node.func, names)
        given = [worth(n, names) for n in node.args]
        return function(*given, **{k.arg: worth(k.value, names) for k in node.keywords if k.arg})
    raise Complaint(f"{ast.unparse(node)} is more than a call may hold")


def by_names(function: Any, names: dict[str, Any]) -> Any:
    """The function called with what its parameters are called."""
    given, named = [], {}
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if key not in names:
            if parameter.default is not parameter.empty:
                continue
            raise Complaint(f"the parameter {key} is no name of the model: say --call")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            given.append(names[key])
        else:
            named[key] = names[key]
    return function(*given, **named)


def flat(result: Any) -> tuple[str, dict[str, Any]]:
    """A result as named arrays: a dict by its keys, a sequence by position; of (loss, dict) the
    dict.
    """
    if isinstance(result, tuple) and result and isinstance(result[-1], dict):
        result = result[-1]
    if isinstance(result, dict):
        return "dict", {str(k): v for k, v in result.items()}
    if not isinstance(result, (tuple, list)):
        return "array", {"0": result}
    items: list[Any] = []
    pending = list(result)
    while pending:
        first = pending.pop(0)
        if isinstance(first, tuple):
            pending = [*first, *pending]
        else:
            items.append(first)
    return "sequence", {str(k): v for k, v in enumerate(items)}


def answers(job: dict[str, Any], given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the function returns at each point, and what is said of it."""
    module = loaded(Path(job["file"]))
    found: dict[str, Any] = {}
    said: dict[str, Any] = {"points": []}
    for k in range(job["points"]):
        names: dict[str, Any] = {n: v for n, v in vars(module).items() if not n.startswith("__")}
        for f in job["abstract"]:
            names |= {f + suffix: form for suffix, form in ABSTRACT.items()}
        for key in given.files:
            number, _, name = key.partition("/")
            if number == str(k):
                value = given[key]
                names[name] = value.item() if value.ndim == 0 else value.copy()
        if job["call"]:
            result = worth(ast.parse(job["call"], mode="eval").body, names)
        elif not hasattr(module, job["function"]):
            raise Complaint(f"there is no function {job['function']} in the file")
        else:
            result = by_names(getattr(module, job["function"]), names)
        kind, items = flat(result)
        arrays = {}
        for key, value in items.items():
            try:
                arrays[key] = np.asarray(value, dtype=float)
            except (TypeError, ValueError):
                continue
        found |= {f"{k}/{key}": value for key, value in arrays.items()}
        said["points"].append({"kind": kind, "keys": list(items), "arrays": list(arrays)})
    return found, said


def main(folder: Path) -> None:
    """Do the job of a folder; an error, which nobody handles, is told on the way out."""
    job = json.loads((folder / "job.json").read_text("utf-8"))

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        places = [f for f in traceback.extract_tb(trace) if f.filename == job["file"]]
        line = places[-1].lineno if places else getattr(error, "lineno", None)
        say({"error": kind.__name__, "message": str(error)[:300], "line": line})

    def say(said: dict[str, Any]) -> None:
        (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")

    sys.excepthook = told
    try:
        found, said = answers(job, np.load(folder / "given.npz"))
    except Complaint as complaint:
        say({"complaint": str(complaint)})
        return
    np.savez(folder / "found.npz", **found)
    say(said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

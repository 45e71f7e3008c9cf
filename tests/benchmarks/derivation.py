"""How long a derivation takes: the three-layer net, tanh nets of 10 to 200 layers, transformers.

    python tests/benchmarks/derivation.py [--repeats 7]

Each measurement is made in a process of its own, with cold caches, after the imports; printed are
the medians in milliseconds. ``parse`` reads the model; ``derive`` goes from there to every gradient
as an array equation; ``layer`` is ``derive`` by the number of layers or blocks, which shows whether
the cost is linear in depth.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPTHS = (10, 50, 100, 200)
BLOCKS = (1, 4, 12, 24)


def deep_net(layers: int) -> str:
    """The text of a tanh net with ``layers`` layers, each with weights and a bias of its own."""
    numbers = range(1, layers + 1)
    head = ["dims N, D", "data X[N, D], Y[N, D]"]
    weights = [f"param W{k}[D, D], b{k}[D]" for k in numbers]
    body = [f"H{k} = tanh({f'H{k - 1}' if k > 1 else 'X'} @ W{k}.T + b{k})" for k in numbers]
    return "\n".join([*head, *weights, *body, f"L = sum((H{layers} - Y)**2)", ""])


def source_of(net: str) -> str:
    """The model of ``12`` tanh layers, of ``12-blocks`` of a transformer, or one that ships."""
    from symbackprop.network.shipped import shipped_models
    from tests.models.transformers import transformer

    depth, _, kind = net.partition("-")
    if not depth.isdigit():
        return shipped_models()[net]
    return transformer(int(depth)) if kind else deep_net(int(depth))


def measure_here(net: str) -> dict[str, float]:
    """Seconds for one net in this process; meaningful once a process."""
    import symbackprop

    text = source_of(net)
    start = time.perf_counter(), time.process_time()
    model = symbackprop.parse(text)
    read = time.perf_counter(), time.process_time()
    derivation = symbackprop.derive(model)
    texts = [derivative.text for derivative in derivation.derivatives]
    done = time.perf_counter(), time.process_time()
    assert texts
    return {"parse": read[0] - start[0], "derive": done[0] - read[0], "cpu": done[1] - read[1]}


def measure(net: str) -> dict[str, float]:
    """Seconds for one net, in a new process."""
    command = [sys.executable, __file__, "--measure", net]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Print the table, or one measurement for the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.measure:
        sys.path.insert(0, str(ROOT))
        importlib.import_module("symbackprop.pipeline")  # imports are not part of the time
        print(json.dumps(measure_here(wanted.measure)))
        return
    print(f"{'net':<16}{'parse ms':>10}{'derive ms':>11}{'layer ms':>10}")
    for net in ("three-layer", *map(str, DEPTHS), *(f"{n}-blocks" for n in BLOCKS)):
        runs = [measure(net) for _ in range(wanted.repeats)]
        parse, derive = (statistics.median(r[k] for r in runs) * 1e3 for k in ("parse", "derive"))
        depth = net.partition("-")[0]
        layer = f"{derive / int(depth):10.2f}" if depth.isdigit() else ""
        label = f"tanh, {net} layers" if net.isdigit() else f"GPT, {depth} blocks"
        print(f"{label if depth.isdigit() else net:<16}{parse:>10.1f}{derive:>11.1f}{layer}")


if __name__ == "__main__":
    main()

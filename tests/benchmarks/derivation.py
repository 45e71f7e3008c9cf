"""How long a derivation takes: the three-layer net, and tanh nets of 10 to 200 layers.

    python tests/benchmarks/derivation.py [--repeats 7]

Each measurement is made in a process of its own, with cold caches, after the imports; printed are
the medians in milliseconds. ``parse`` reads the model; ``derive`` goes from there to every gradient
as an array equation; ``layer`` is ``derive`` by the number of layers, which shows whether the cost
is linear in depth.
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


def deep_net(layers: int) -> str:
    """The text of a tanh net with ``layers`` layers, each with weights and a bias of its own."""
    numbers = range(1, layers + 1)
    head = ["dims N, D", "data X[N, D], Y[N, D]"]
    weights = [f"param W{k}[D, D], b{k}[D]" for k in numbers]
    body = [f"H{k} = tanh({f'H{k - 1}' if k > 1 else 'X'} @ W{k}.T + b{k})" for k in numbers]
    return "\n".join([*head, *weights, *body, f"L = sum((H{layers} - Y)**2)", ""])


def measure_here(net: str) -> dict[str, float]:
    """Seconds for one net in this process; meaningful once a process."""
    import symbackprop

    text = deep_net(int(net)) if net.isdigit() else None
    start = time.perf_counter(), time.process_time()
    model = symbackprop.load(net) if text is None else symbackprop.parse(text)
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
    print(f"{'net':<14}{'parse ms':>10}{'derive ms':>11}{'layer ms':>10}")
    for net in ("three-layer", *map(str, DEPTHS)):
        runs = [measure(net) for _ in range(wanted.repeats)]
        parse, derive = (statistics.median(r[k] for r in runs) * 1e3 for k in ("parse", "derive"))
        layer = f"{derive / int(net):10.2f}" if net.isdigit() else ""
        label = f"tanh, {net} layers" if net.isdigit() else net
        print(f"{label:<16}{parse:>8.1f}{derive:>11.1f}{layer}")


if __name__ == "__main__":
    main()

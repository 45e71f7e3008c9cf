"""The cost of a derivation is linear in depth."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parent / "benchmarks" / "derivation.py"
SHALLOW, DEEP, REPEATS, BOUND = 10, 200, 3, 1.3


def test_time_per_layer_does_not_grow_with_depth() -> None:
    spec = importlib.util.spec_from_file_location("derivation", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)

    # Processor time, and the best of several processes: other jobs on the machine only ever add.
    def per_layer(layers: int) -> float:
        return min(benchmark.measure(str(layers))["cpu"] for _ in range(REPEATS)) / layers

    ratio = per_layer(DEEP) / per_layer(SHALLOW)
    assert ratio <= BOUND, f"{ratio:.2f} times the time per layer at {DEEP} layers"

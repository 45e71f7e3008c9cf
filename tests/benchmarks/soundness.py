"""Soundness by mutation on a large random family, by hand.

    python tests/benchmarks/soundness.py [--rounds 10000] [--first 0]

Every round draws an identity, restyles it (it must not be refuted; how many are proved is printed)
and spoils it (it must be refuted wherever the evaluator tells the sides apart, and never be
proved). Faults are printed as they are met; the exit status is 1 if there was any.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.algebra.soundness import one_round


def main() -> int:
    """Run the rounds asked for and print the figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=10_000)
    options.add_argument("--first", type=int, default=0)
    asked = options.parse_args()
    proved = differ = faults = 0
    slowest, start = (0.0, 0), time.perf_counter()
    for seed in range(asked.first, asked.first + asked.rounds):
        begun = time.perf_counter()
        result = one_round(seed)
        slowest = max(slowest, (time.perf_counter() - begun, seed))
        proved += result.proved
        differ += result.differs
        faults += len(result.faults)
        for fault in result.faults:
            print(f"seed {seed}: {fault}", flush=True)
        if not result.proved:
            print(f"seed {seed}: undecided: {result.true}", flush=True)
    print(
        f"{asked.rounds} rounds: {proved} true ones proved, {differ} spoiled ones differ,"
        f" {faults} faults; {time.perf_counter() - start:.0f} s,"
        f" slowest round {slowest[0]:.2f} s (seed {slowest[1]})"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Fuzz the readers: ``python -m tests.fuzz --reader latex --kind all --seconds 3600 --seed 1``.

Findings are saved one a file, as the input and what happened, and counted at the end; the exit
status is 1 if there are any. ``--replay FILE`` puts a finding to the tool again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import symbackprop as sb
from tests.fuzz.inputs import KINDS, MODELS, READERS, Trial, trial
from tests.fuzz.worker import Finding, attempt, work

BATCH = 200  # inputs before the process is replaced by a fresh one
HANGS = 30.0  # of processor time without a word: the worker cannot be interrupted, and is killed
LISTENS = 10.0  # seconds between two looks at how long it has computed
TICKS = os.sysconf("SC_CLK_TCK")
EVERY = 60.0  # seconds between two lines of progress


def tell(what: object) -> None:
    """A line of progress, at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def processor_time(pid: int | None) -> float:
    """The seconds that a process has computed so far; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


class Campaign:
    """A run over one reader: its workers, its findings, its counts."""

    def __init__(self, seed: int, reader: str, kind: str, folder: Path) -> None:
        self.seed, self.reader, self.kind, self.folder = seed, reader, kind, folder
        self.said: Counter[str] = Counter()
        self.slowest = 0.0
        self.slowest_at = 0
        self.told = time.monotonic()

    def run(self, seconds: float) -> None:
        """Judge inputs for so long."""
        stop, first = time.monotonic() + seconds, 0
        while time.monotonic() < stop:
            first = self.batch(first, stop)

    def batch(self, first: int, stop: float) -> int:
        """One worker, until its inputs are done, it dies, or time is over; the next number."""
        here, there = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("spawn")
        job = (there, self.seed, self.reader, self.kind, first, BATCH)
        worker = context.Process(target=work, args=job, daemon=True)
        worker.start()
        there.close()
        at, spoke = first, 0.0
        try:
            while time.monotonic() < stop:
                if not here.poll(LISTENS):
                    if processor_time(worker.pid) - spoke < HANGS:
                        continue  # it waits for its turn on a busy machine
                    self.found(at, Finding("hang", f"no word for {HANGS} s"))
                    return at + 1
                word, said, wrong, spent = here.recv()
                spoke = processor_time(worker.pid)
                if word == "end":
                    return first + BATCH
                at = said if word == "at" else at
                if word == "done":
                    self.count(at, said, wrong, spent)
        except EOFError:
            worker.join(5)
            self.found(at, Finding("death", f"the worker ended with {worker.exitcode}"))
        finally:
            worker.kill()
            worker.join()
        return at + 1

    def count(self, at: int, said: str, wrong: Finding | None, spent: float) -> None:
        self.said[said if wrong is None else wrong.what] += 1
        if spent > self.slowest:
            self.slowest, self.slowest_at = spent, at
        if wrong is not None:
            self.found(at, wrong)
        if time.monotonic() - self.told > EVERY:
            self.told = time.monotonic()
            tell(self)

    def found(self, at: int, wrong: Finding) -> None:
        """Save a finding."""
        self.said["FOUND"] += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        one = trial(self.seed, self.reader, self.kind, at)
        path = self.folder / f"{self.reader}-{self.kind}-{self.seed}-{at}-{wrong.what}.json"
        fields = {"what": wrong.what, "detail": wrong.detail, "trial": one.as_json()}
        path.write_text(json.dumps(fields, indent=1), encoding="utf-8")
        tell(f"found {path.name}: {wrong.detail.strip().splitlines()[-1:]}")

    def __str__(self) -> str:
        counts = ", ".join(f"{k} {v}" for k, v in sorted(self.said.items()))
        slowest = f"slowest {self.slowest:.2f} s (input {self.slowest_at})"
        return f"{self.reader} {self.kind} seed {self.seed}: {counts}; {slowest}"


def replay(path: Path) -> int:
    """Put a finding to the tool again; the status says whether it still is one."""
    fields: dict[str, Any] = json.loads(path.read_text("utf-8"))["trial"]
    models = {name: sb.load(name) for name in MODELS}
    said, wrong, spent = attempt(Trial(**fields), models)
    tell(f"{path.name}: {said} {spent:.2f} s")
    if wrong is not None:
        tell(f"{wrong.what} {wrong.detail}")
    return 0 if wrong is None else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=READERS, default="latex")
    parser.add_argument("--kind", choices=(*KINDS, "all"), default="all")
    parser.add_argument("--folder", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--replay", type=Path, nargs="+", default=[])
    given = parser.parse_args()
    if given.replay:
        return max([replay(path) for path in given.replay])
    campaign = Campaign(given.seed, given.reader, given.kind, given.folder)
    campaign.run(given.seconds)
    tell(campaign)
    return 1 if campaign.said["FOUND"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""One input put to the tool under limits: five seconds of processor time, 500 MB of memory.

A worker judges a stretch of numbered inputs in a process of its own and says through a pipe which
one it is at, so that one that hangs or dies beyond help of Python is still known by its number.
"""

from __future__ import annotations

import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import symbackprop as sb
from symbackprop.errors import SymbackpropError
from tests.fuzz.inputs import MODELS, Trial, trial

SECONDS = 5.0  # processor time: what else runs on the machine does not count
MEGABYTES = 500
PAGE = resource.getpagesize()


class Overtime(BaseException):
    """The time of one input is over; no handler of the tool may catch it."""


@dataclass(frozen=True)
class Finding:
    """What went wrong with an input."""

    what: str
    detail: str = ""


def judge(one: Trial, models: dict[str, Any]) -> str:
    """The verdict on one input, or the class of the error that refuses it."""
    try:
        model = models.get(one.model) or (
            sb.load(one.model) if one.model in MODELS else sb.parse(one.model)
        )
        return sb.verify(model, one.text, format=one.reader, **one.options).verdict
    except SymbackpropError as error:
        return type(error).__name__


def attempt(one: Trial, models: dict[str, Any]) -> tuple[str, Finding | None, float]:
    """The verdict, what went wrong if anything did, and the processor time."""
    began, before = time.process_time(), resident()
    said, wrong = "", None
    try:
        with limits():
            said = judge(one, models)
    except Overtime:
        wrong = Finding("time", traceback.format_exc())
    except MemoryError:
        wrong = Finding("memory", traceback.format_exc())
    except Exception:  # noqa: BLE001 - whatever is no error of the tool's own is a finding
        wrong = Finding("traceback", traceback.format_exc())
    spent, grown = time.process_time() - began, resident() - before
    if wrong is None and grown > MEGABYTES:
        wrong = Finding("memory", f"{grown:.0f} MB")
    return said, wrong, spent


@contextmanager
def limits() -> Iterator[None]:
    """Processor time and address space, bounded for the block."""
    old = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGPROF, _overtime)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEGABYTES * 2**20, old[1]))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_AS, old)


def _overtime(*_: object) -> None:
    raise Overtime


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[0]) * PAGE


def resident() -> float:
    """The most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work(pipe: Connection, seed: int, reader: str, kind: str, first: int, count: int) -> None:
    """Judge ``count`` inputs, saying before each its number and after it what came of it."""
    sys.setrecursionlimit(1000)
    models = {name: sb.load(name) for name in MODELS}
    for number in range(first, first + count):
        pipe.send(("at", number, None, 0.0))
        pipe.send(("done", *attempt(trial(seed, reader, kind, number), models)))
    pipe.send(("end", number, None, 0.0))

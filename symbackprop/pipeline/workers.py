"""Many papers judged side by side, each for itself: whatever one does, hang, crash or swell,
disturbs no other.

Papers go to a few processes, one at a time each. One that is over its time is killed and another
takes its place; one that dies is replaced too, and the paper it was at is reported as an error.
Takes a model and paths; gives a :class:`Paper` for each, in the order of the paths.
"""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from symbackprop.checking.assumed import with_facts
from symbackprop.checking.judge import verify
from symbackprop.checking.paper import Paper
from symbackprop.checking.truth import gradients, with_library
from symbackprop.errors import SymbackpropError
from symbackprop.ir.program import Equation, Program
from symbackprop.network.model import Model, parse
from symbackprop.pipeline.compilation import program_of
from symbackprop.pipeline.papers import options_for, read_text
from symbackprop.pipeline.right_steps import presented

SECONDS = 60.0
MEMORY = 2 * 2**30  # bytes of address space that a worker may add to what it starts with
# A fresh interpreter, not a fork: what this process holds, locks and threads, stays its own.
CONTEXT = "spawn"
STARTING = 120.0  # seconds in which a process must have loaded the model


@dataclass(frozen=True, slots=True)
class Task:
    """What is the same for all papers: the model, and how they are read."""

    model: str
    options: Mapping[str, Any]
    assume: tuple[str, ...] = ()

    def prepared(self) -> tuple[Program, tuple[Equation, ...]]:
        """The program of the model and its true gradients."""
        program = program_of(parse(self.model))
        program = with_facts(with_library(program), self.assume)
        return program, gradients(program)


@dataclass(slots=True)
class _Worker:
    """A process, the number of the paper it is at (None: it is still loading), and until when."""

    process: BaseProcess
    pipe: Connection
    until: float
    at: int | None = None
    since: float = 0.0

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


@dataclass(slots=True)
class _Pool:
    """The workers and the papers that wait for one."""

    task: Task
    paths: Sequence[str]
    seconds: float
    waiting: deque[int]
    workers: list[_Worker] = field(default_factory=list)

    def run(self, jobs: int) -> Iterator[tuple[int, Paper]]:
        """What comes of the papers, as it comes, each with its number."""
        self.workers = [self.start() for _ in range(min(jobs, len(self.paths)))]
        try:
            while self.workers:
                for worker in self.due():
                    judged, alive = self.heard(worker)
                    if judged is not None and worker.at is not None:
                        yield worker.at, judged
                    self.workers.remove(worker)
                    self.go_on(worker, alive)
            for k in self.waiting:
                yield k, Paper(self.paths[k], problem="no process could load the model")
        finally:
            for worker in self.workers:
                worker.end()

    def due(self) -> list[_Worker]:
        """The workers that have said something, and those whose time is over."""
        soonest = max(0.0, min(w.until for w in self.workers) - time.monotonic())
        ready = wait([w.pipe for w in self.workers], soonest)
        now = time.monotonic()
        return [w for w in self.workers if w.pipe in ready or now >= w.until]

    def heard(self, worker: _Worker) -> tuple[Paper | None, bool]:
        """What a worker says of its paper, or what is said for it; and whether it lives on."""
        path = "" if worker.at is None else self.paths[worker.at]
        spent = time.monotonic() - worker.since
        if not worker.pipe.poll():
            why = f"no verdict after {self.seconds:g} s"
            return Paper(path, problem=why, overtime=True, seconds=spent), False
        try:
            said = worker.pipe.recv()
        except EOFError:
            worker.process.join()
            why = f"the process that judged it ended with {worker.process.exitcode}"
            return Paper(path, problem=why, seconds=spent), False
        assert said is None or isinstance(said, Paper), "a worker says nothing else"
        return said, True

    def go_on(self, worker: _Worker, alive: bool) -> None:
        """The next paper for this worker, or for a fresh one in its place.

        One that has died before it was ready is not replaced: the next would die as well.
        """
        if alive and self.waiting:
            worker.at = self.waiting.popleft()
            worker.since = time.monotonic()
            worker.until = worker.since + self.seconds
            worker.pipe.send(self.paths[worker.at])
            self.workers.append(worker)
            return
        worker.end()
        if self.waiting and worker.at is not None:
            self.workers.append(self.start())

    def start(self) -> _Worker:
        context: Any = multiprocessing.get_context(CONTEXT)
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(there, self.task), daemon=True)
        process.start()
        there.close()
        return _Worker(process, here, time.monotonic() + STARTING)


def verify_papers(
    model: Model,
    paths: Sequence[str],
    *,
    seconds: float = SECONDS,
    jobs: int | None = None,
    assume: Sequence[str] = (),
    tell: Callable[[Paper, int, int], None] | None = None,
    **options: Any,
) -> tuple[Paper, ...]:
    """Judge many papers against one model.

    Parameters
    ----------
    model : Model
        What the derivations are about.
    paths : sequence of str
        The files; ``-`` is standard input.
    seconds : float
        The time that one paper may take.
    jobs : int, optional
        How many processes work at once (default: as many as there are processors).
    tell : callable, optional
        Called with each result as it comes, how many there are, and of how many.
    **options
        As for :func:`symbackprop.checking.judge.verify`.

    Raises
    ------
    SymbackpropError
        Where the facts assumed are none of the model's.
    """
    task = Task(model.source, options, tuple(assume))
    with_facts(program_of(model), task.assume)
    pool = _Pool(task, paths, seconds, deque(range(len(paths))))
    results: dict[int, Paper] = {}
    for number, judged in pool.run(jobs or os.cpu_count() or 1):
        results[number] = judged
        if tell is not None:
            tell(judged, len(results), len(paths))
    return tuple(results[k] for k in range(len(paths)))


def serve(pipe: Connection, task: Task) -> None:
    """The life of a worker: load the model, then judge the papers that come, until there is no one
    to tell.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends us
    _bound_memory()
    program, adjoints = task.prepared()
    try:
        pipe.send(None)  # ready
        while True:
            pipe.send(_judged(pipe.recv(), program, adjoints, task))
    except (EOFError, BrokenPipeError):
        return


def _judged(path: str, program: Program, adjoints: tuple[Equation, ...], task: Task) -> Paper:
    began, text = time.monotonic(), ""
    problem = ""
    try:
        text = read_text(path)
        options = options_for(path, task.options)
        asked = {word: bool(options.pop(word, False)) for word in ("hint", "explain")}
        report = verify(program, text, adjoints=adjoints, source=path, **options)
        report = presented(report, parse(task.model), hint=asked["hint"], explain=asked["explain"])
        return Paper(path, text, report, seconds=time.monotonic() - began)
    except SymbackpropError as error:
        problem = str(error)
    except UnicodeDecodeError as error:
        problem = f"it is no text in UTF-8 ({error.reason}, byte {error.start})"
    except OSError as error:
        problem = error.strerror or str(error)
    except MemoryError:
        problem = f"it takes more than {MEMORY >> 20} MB of memory"
    return Paper(path, text, problem=problem, seconds=time.monotonic() - began)


def _bound_memory() -> None:
    """Let this process grow by so much, where the system can say so."""
    if importlib.util.find_spec("resource") is None:
        return
    resource: Any = importlib.import_module("resource")
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            now = int(stream.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = now + MEMORY
    if most == resource.RLIM_INFINITY or wanted < most:
        resource.setrlimit(resource.RLIMIT_AS, (wanted, most))

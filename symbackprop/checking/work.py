"""How much work a judgement may take: a count, since what is said may not depend on the speed of a
machine.

One :class:`Work` belongs to one document (or one function of NumPy) and is spent by whatever takes
time: symbols read, products of readings, evaluations, steps of proofs, pieces of code followed. A
unit is about a tenth of a millisecond on a common machine. What holds does not count, up to a
measure, so that a long right document is judged in full.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Symbol

TOO_LONG = "too long to decide in the time a document gets"

# fmt: off
JUDGING    = 12_000  # for all the relations of a document that do not hold
EXPLAINING = 20_000  # to say what is wrong in them
READ       =      1  # less to judge, and twice as much less to explain, for each statement read
FREE       =  4_000  # for one statement that holds
SYMBOL     =      5  # for a symbol read
PRODUCT    =      4  # for two readings multiplied
EVALUATION =     10  # for an expression at one point, with one more for so many nodes:
NODES      =      5
FRACTION   =      2  # nodes of a fraction or power to a unit
PROOF      =      2  # steps of a proof to a unit
LARGE      =    100  # nodes from which the square of the size counts
LARGEST    = 60_000  # nodes of what is read for one side of a relation
# fmt: on


@dataclass(slots=True)
class Work:
    """The work done so far, and how much there may be; without a limit there is no end to it."""

    done: int = 0
    limit: int | None = None

    def allow(self, more: int) -> None:
        """Let so much be done from here on."""
        self.limit = self.done + more

    def spend(self, units: int) -> None:
        """So much was done."""
        self.done += units

    def forgive(self, since: int, most: int = FREE) -> None:
        """What was done since then does not count, as far as it is no more than ``most``."""
        if self.limit is not None:
            self.limit += min(self.done - since, most)

    def is_over(self) -> bool:
        """Whether all of it is done."""
        return self.limit is not None and self.done >= self.limit

    def left(self, most: int) -> int:
        """How much may be done yet, ``most`` at the highest."""
        return most if self.limit is None else max(0, min(most, self.limit - self.done))


def nodes(e: Expr, most: int) -> int:
    """How large an expression is, counted up to ``most``."""
    count, stack = 0, [e]
    while stack and count < most:
        here = stack.pop()
        count += 1
        if not isinstance(here, Symbol):
            stack.extend(here.args)
    return count

"""How deep what people write may be nested, and room for as much on Python's stack.

Readers count levels before they recurse, and refuse what is deeper with a place; Python's own limit
of 1,000 frames stops at some 50 levels, since each takes several frames.
"""

from __future__ import annotations

import sys

DEEPEST_NESTING = 200
LEVELS_A_BRACKET = 4  # of the tree as written, at the least
DEEPEST_TREE = 6 * DEEPEST_NESTING  # also reached by a long row of products
SHALLOW = 20  # levels for which there is room as it is
FRAMES_A_LEVEL = 60


def make_room(depth: int) -> None:
    """Lets Python recurse as deep as an expression of this depth needs, in this room and below;
    only deep expressions raise the limit, so that ordinary use leaves the interpreter alone.
    """
    needed = 1000 + FRAMES_A_LEVEL * depth
    if depth > SHALLOW and sys.getrecursionlimit() < needed:
        sys.setrecursionlimit(needed)

"""Models that ship and are whole networks: hundreds of equations, most of them alike.

They have tests of their own, with few blocks where all blocks are alike, and are left out where
every model that ships is written, typeset or run.
"""

from __future__ import annotations

from symbackprop.network.shipped import shipped_models

WHOLE = frozenset({"gpt2", "resnet18"})
#: The models that ship beside them.
SINGLE = tuple(name for name in shipped_models() if name not in WHOLE)

"""``python -m symbackprop`` is the command ``symbackprop``."""

from symbackprop.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

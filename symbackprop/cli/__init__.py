"""From a shell: the commands, their flags, their exit statuses.

Takes the words of a command line and the texts they name; gives results on standard output, all
else on standard error, and a status: 0 done or proved, 1 refuted, 2 usage, syntax or shape error,
3 undecided or nothing readable, 4 an external program is missing or failed, 130 interrupted. It
knows the pipeline and the errors and nothing below; the pipeline is imported inside the commands,
so that ``--help`` and completion load neither SymPy nor NumPy.
"""

from symbackprop.cli.run import main

__all__ = ["main"]

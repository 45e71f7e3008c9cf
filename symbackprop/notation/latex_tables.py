r"""The commands of LaTeX that the reader of hand derivations knows: rows, and nothing else.

A command is a token, a layout instruction that says nothing, a wrapper whose content counts, or a
danger. What is in no table is read as a name (``\foo`` is the name ``foo``), and a name that nobody
declared is reported, never guessed away.
"""

from __future__ import annotations

from symbackprop.notation.tokens import FUNCTIONS, GREEK

# fmt: off
TOKENS = {
    "partial": ("PARTIAL", "∂"), "part": ("PARTIAL", "∂"), "nabla": ("NABLA", "∇"),
    "triangledown": ("NABLA", "∇"), "sum": ("BIG", "sum"),
    "prod": ("BIG", "prod"),
    "frac": ("FRAC", "/"), "dfrac": ("FRAC", "/"), "tfrac": ("FRAC", "/"), "cfrac": ("FRAC", "/"),
    "sqrt": ("SQRT", "√"),
    "odot": ("OP", "⊙"), "bigodot": ("OP", "⊙"), "circ": ("OP", "⊙"),
    "bullet": ("OP", "⊙"), "ast": ("OP", "*"), "star": ("OP", "⋆"),
    "circledast": ("OP", "*"),
    "cdot": ("OP", "·"), "times": ("OP", "×"), "otimes": ("OP", "⊗"), "div": ("OP", "/"),
    "oslash": ("OP", "/"),
    "top": ("ID", "T"), "intercal": ("ID", "T"), "transpose": ("ID", "T"), "prime": ("PRIME", "'"),
    "dots": ("DOTS", "…"), "cdots": ("DOTS", "…"), "ldots": ("DOTS", "…"), "dotsc": ("DOTS", "…"),
    "dotsb": ("DOTS", "…"), "vdots": ("DOTS", "…"),
    "langle": ("OPEN", "<"), "rangle": ("CLOSE", "<"), "lbrace": ("OPEN", "{"),
    "rbrace": ("CLOSE", "{"), "{": ("OPEN", "{"), "}": ("CLOSE", "{"),
    "lvert": ("OPEN", "|"), "rvert": ("CLOSE", "|"), "lVert": ("OPEN", "‖"),
    "rVert": ("CLOSE", "‖"), "vert": ("BAR", "|"), "Vert": ("NORM", "‖"),
    "lfloor": ("OPEN", "⌊"), "rfloor": ("CLOSE", "⌊"), "lceil": ("OPEN", "⌈"),
    "rceil": ("CLOSE", "⌈"), "bmod": ("OP", "mod"), "mod": ("OP", "mod"),
    "|": ("NORM", "‖"), "mid": ("BAR", "|"), "lbrack": ("OPEN", "["), "rbrack": ("CLOSE", "["),
    "coloneqq": ("REL", ":="), "eqqcolon": ("REL", "=:"), "triangleq": ("REL", ":="),
    "equiv": ("REL", "="), "doteq": ("REL", ":="),
    "le": ("CMP", "<="), "leq": ("CMP", "<="), "ge": ("CMP", ">="), "geq": ("CMP", ">="),
    "lt": ("CMP", "<"), "gt": ("CMP", ">"),
    "neq": ("CMP", "!="), "ne": ("CMP", "!="), "in": ("IN", "∈"),
    "gets": ("ARROW", "←"), "leftarrow": ("ARROW", "←"), "to": ("ARROW", "→"),
    "rightarrow": ("ARROW", "→"), "mapsto": ("ARROW", "→"),
    "approx": ("ARROW", "≈"), "propto": ("ARROW", "∝"), "sim": ("ARROW", "~"),
    "longrightarrow": ("ARROW", "→"),
    "Rightarrow": ("BREAK", "⇒"), "Longrightarrow": ("BREAK", "⇒"), "implies": ("BREAK", "⇒"),
    "iff": ("BREAK", "⇔"),
    "Leftrightarrow": ("BREAK", "⇔"), "therefore": ("BREAK", "∴"), "because": ("BREAK", "∵"),
    "quad": ("BREAK", " "), "qquad": ("BREAK", " "),
    "\\": ("BREAK", "\\"), "newline": ("BREAK", "\\"), "ell": ("ID", "ell"),
    "mathds1": ("ONES", "1"), "infty": ("ID", "inf"),
}

ALIASES = {                      # canonical names of letters with two commands
    "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho",
    "varsigma": "sigma", "hbar": "h",
}

ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde",
    "widetilde": "tilde",
    "dot": "dot", "ddot": "ddot", "vec": "vec", "overrightarrow": "vec", "check": "check",
    "breve": "breve",
}

FONTS = frozenset(               # transparent: what stands in them counts as it is
    "mathbf boldsymbol bm bold mathrm mathsf mathcal mathit mathtt mathscr mathfrak mathbb symbf "
    "symbfit pmb rm bf it sf cal "
    "mathrlap displaystyle textstyle scriptstyle boldmath mathnormal operatorname textbf "
    "textit textrm ensuremath mathop mathrel mathbin".split()
)

SIZES = frozenset(
    "left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr".split()
)

DROPPED = SIZES | frozenset(     # sizing and spacing; `\,` and its kin among them
    "limits nolimits nonumber notag "
    "displaylimits hfill noindent centering smallskip medskip bigskip par strut , ; : ! > / "
    "allowbreak nobreak thinspace "
    "mathstrut hline".split()
) | {" ", "-", "\n"}

SWALLOWED = {                    # commands whose arguments say nothing: how many there are
    "label": 1, "tag": 1, "hspace": 1, "vspace": 1, "color": 1, "phantom": 1, "vphantom": 1,
    "hphantom": 1, "intertext": 1, "shortintertext": 1, "kern": 0,
    "eqref": 1, "ref": 1, "cite": 1, "footnote": 1, "require": 1,
}

WRAPPERS = {                     # commands around mathematics: how many arguments come before it
    "boxed": 0, "fbox": 0, "textcolor": 1, "colorbox": 1, "underbrace": 0, "overbrace": 0,
    "underline": 0, "smash": 0, "mbox": 0,
    "cancel": 0, "bcancel": 0, "xcancel": 0, "cancelto": 1, "sout": 0,
}

STRIKES = frozenset("cancel bcancel xcancel cancelto sout".split())   # what is struck out is marked

TEXTS = frozenset("text textnormal mbox textsf texttt".split())

DANGEROUS = frozenset(
    "write immediate input include openout openin read csname endcsname catcode directlua "
    "luaexec usepackage documentclass "
    "special outer every newwrite newread loop repeat expandafter makeatletter verbatiminput "
    "lstinputlisting InputIfFileExists "
    "includegraphics ShellEscape jobname".split()
)

MATRICES = frozenset("bmatrix pmatrix matrix Bmatrix smallmatrix array bmatrix* pmatrix*".split())

CASES = frozenset("cases dcases rcases numcases".split())

DISPLAYS = frozenset(
    "equation equation* align align* aligned alignedat alignat alignat* split gather gather* "
    "gathered eqnarray eqnarray* multline multline* "
    "displaymath math flalign flalign* dmath dmath* subequations".split()
)

LETTERS = frozenset(GREEK) | frozenset(ALIASES)
WORDS = frozenset(FUNCTIONS) | {"axis", "keepdims", "True", "False", "np"}
# fmt: on

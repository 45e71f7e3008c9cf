"""What each command answers: text, JSON, files and exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RIGHT = r"\nabla_\theta L = H^\top \nabla_{\hat y} L"
WRONG = r"\nabla_\theta L = H \nabla_{\hat y} L"

# The gradients of the three-layer net as the notes have them.
GRADIENTS = {
    "yhat": "2 * (yhat - y)",
    "theta": "H.T @ grad_yhat",
    "c": "sum(grad_yhat)",
    "H": "outer(grad_yhat, theta)",
    "Z": "grad_H * f_prime(Z)",
    "W": "grad_Z.T @ X",
    "b": "sum(grad_Z, axis=0)",
    "X": "grad_Z @ W",
    "y": "2 * (y - yhat)",
}

# fmt: off
STATUSES = [  # words, standard input, exit status, the first word of the answer
    (("derive", "three-layer", "--check"),                        "",     0, "grad_yhat"),
    (("prove", "sigmoid(z) == 1/2 + tanh(z/2)/2"),                "",     0, "proved"),
    (("prove", "tanh(z) == 2*sigmoid(2*z) - 1"),                  "",     0, "proved"),
    (("prove", "sigmoid(z) == 1/2 + tanh(z)/2"),                  "",     1, "refuted"),
    (("prove", "sum(H @ theta + c - yhat) == 0", "--model", "three-layer"), "", 0, "proved"),
    (("verify", "three-layer", "-"),                              RIGHT,  0, "proved"),
    (("verify", "three-layer", "-"),                              WRONG,  1, "refuted"),
    (("verify", "three-layer", "-"),                              "",     3, "undecided"),
    (("verify", "three-layer", "-"),  r"\nabla_W L = \nabla_W L",         3, "undecided"),
    (("models",),                                                 "",     0, "attention"),
    (("explain", "sigmoid"),                                      "",     0, "sigmoid"),
]
# fmt: on


@pytest.mark.parametrize(
    ("words", "stdin", "status", "first"), STATUSES, ids=[" ".join((*s[0], s[1])) for s in STATUSES]
)
def test_status_and_first_word(
    run: Callable, words: tuple[str, ...], stdin: str, status: int, first: str
) -> None:
    done = run(*words, stdin=stdin)
    assert (done.status, done.err) == (status, "")
    assert done.out.split()[0].rstrip(":") == first
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("words", "stdin", "status"), [s[:3] for s in STATUSES], ids=[" ".join(s[0]) for s in STATUSES]
)
def test_json_has_a_schema(run: Callable, words: tuple[str, ...], stdin: str, status: int) -> None:
    done = run(*words, "--json", stdin=stdin)
    assert (done.status, done.err) == (status, "")
    assert json.loads(done.out)["schema"] == 1


def test_derive_json_has_the_gradients_of_the_notes(run: Callable) -> None:
    document = json.loads(run("derive", "three-layer", "--wrt", "all", "--json").out)
    assert {d["wrt"]: d["text"] for d in document["derivatives"]} == GRADIENTS
    for derivative in document["derivatives"]:
        assert derivative["checked"]["proved"]
        assert derivative["checked"]["max_error"] < 1e-5
    assert [e["name"] for e in document["equations"]] == ["Z", "H", "yhat", "L"]


def test_a_jacobian(run: Callable) -> None:
    words = ("--of", "yhat", "--wrt", "theta", "--kind", "jacobian", "--json")
    document = json.loads(run("derive", "three-layer", *words).out)
    assert [d["text"] for d in document["derivatives"]] == ["H"]


@pytest.mark.parametrize("form", ["array", "index", "closed"])
def test_forms_and_steps(run: Callable, form: str) -> None:
    plain = run("derive", "three-layer", "--wrt", "W", "--form", form)
    steps = run("derive", "three-layer", "--wrt", "W", "--form", form, "--steps")
    assert plain.status == steps.status == 0
    assert len(steps.out.splitlines()) > len(plain.out.splitlines())


def test_the_same_input_gives_the_same_bytes() -> None:
    command = [sys.executable, "-m", "symbackprop", "derive", "mlp", "--json"]
    runs = {
        subprocess.run(command, capture_output=True, env={"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert runs != {b""}


def test_a_kernel_passes_its_self_test(run: Callable, tmp_path: Path) -> None:
    target = tmp_path / "net.py"
    done = run("kernel", "three-layer", "-o", str(target))
    assert (done.status, done.out, done.err) == (0, "", f"wrote {target}\n")
    assert run("kernel", "three-layer").out == target.read_text(encoding="utf-8")
    assert json.loads(run("kernel", "three-layer", "--json").out)["source"] == target.read_text()
    tested = subprocess.run([sys.executable, str(target)], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr


def test_notes_and_fragment(run: Callable, tmp_path: Path) -> None:
    target = tmp_path / "notes.tex"
    assert run("notes", "three-layer", "-o", str(target)).status == 0
    assert r"\documentclass" in target.read_text(encoding="utf-8")
    assert r"\documentclass" not in run("notes", "three-layer", "--fragment").out


def test_notes_as_pdf(run: Callable, tmp_path: Path, require: Callable[[str], str]) -> None:
    require("pdflatex")
    target = tmp_path / "notes.pdf"
    assert run("notes", "three-layer", "-o", str(target)).status == 0
    assert target.read_bytes().startswith(b"%PDF")


def test_without_tex_the_source_stays_and_one_line_says_what_to_do(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("pdflatex") is None
    done = run("notes", "three-layer", "-o", str(tmp_path / "notes.pdf"))
    assert done.status == 4
    assert "texlive" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.tex"]

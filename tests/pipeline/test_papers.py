"""Files and folders judged side by side: order, limits, and that no file disturbs another."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from symbackprop import pipeline
from symbackprop.errors import Malformed
from symbackprop.pipeline import Paper, workers

RIGHT = "grad_W = grad_Z.T @ X"
WRONG = "grad_W = X.T @ grad_Z"


def written(folder: Path, **texts: str | bytes) -> list[str]:
    """Files with these texts; ``a_txt`` is ``a.txt``."""
    paths = []
    for name, text in texts.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(str(path))
    return paths


def test_a_folder_is_its_derivations_in_order(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("b.tex", "a.md", "sub/c.py", "photo.png", ".hidden.tex", ".git/d.tex"):
        (tmp_path / name).write_text("")
    found = pipeline.papers([str(tmp_path / "b.tex"), str(tmp_path)])
    assert [str(Path(p).relative_to(tmp_path)) for p in found] == ["b.tex", "a.md", "sub/c.py"]
    with pytest.raises(Malformed, match="folder with derivations"):
        pipeline.papers([str(tmp_path / "empty")])


def test_no_file_disturbs_another(tmp_path: Path) -> None:
    paths = written(
        tmp_path,
        a_txt=RIGHT,
        b_txt=b"\xff\xfe" * 40,
        c_txt=b" " * 1_100_000,
        d_txt=r"\input{secrets} $x = 1$",
        e_txt=WRONG,
        f_py="def backward(X, grad_Z):\n    return grad_Z.T @ X\n",
    )
    told: list[int] = []
    found = pipeline.verify_papers(
        pipeline.load("three-layer"),
        [*paths, str(tmp_path / "none.tex")],
        jobs=2,
        call="backward(X, grad_Z)",
        returns="W",
        tell=lambda paper, done, of: told.append(done),
    )
    assert [p.verdict for p in found] == [
        "proved", "error", "error", "error", "refuted", "proved", "error",
    ]  # fmt: skip
    assert "UTF-8" in found[1].problem
    assert "1 MB" in found[2].problem
    assert told == list(range(1, 8))


def _fault(path: str, *_: Any) -> Paper:
    """What stands for the judge in a worker: it does what the file's name says."""
    name = Path(path).stem
    if name == "hang":
        signal.pause()
    if name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return Paper(path, problem="survived")


def serve_with_faults(pipe: Any, task: workers.Task) -> None:
    """A worker whose judge hangs and dies on demand."""
    pipe.send(None)
    while True:
        pipe.send(_fault(pipe.recv()))


# Where another test has loaded jax, forking warns of its threads; these children start none of it.
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning")
def test_a_worker_that_hangs_or_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "serve", serve_with_faults)
    monkeypatch.setattr(workers, "CONTEXT", "fork")
    names = ["a", "hang", "b", "die", "c", "hang2", "d"]
    found = workers.verify_papers(pipeline.load("three-layer"), names, seconds=0.5, jobs=1)
    assert [p.path for p in found] == names
    assert [p.verdict for p in found] == [
        "error", "time-out", "error", "error", "error", "error", "error",
    ]  # fmt: skip
    assert [p.problem == "survived" for p in found] == [True, False, True, False, True, True, True]
    assert "-9" in found[3].problem

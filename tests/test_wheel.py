"""The wheel, installed into an empty environment, works from any folder."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the build backend of this environment (no network)."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel and sees the dependencies.

    The dependencies are seen through a path file: downloading them again would say nothing new.
    """
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    pip += ["--disable-pip-version-check", "--prefix", str(folder), "--ignore-installed"]
    done = subprocess.run([*pip, str(wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    import numpy

    (packages / "dependencies.pth").write_text(str(Path(numpy.__file__).parents[1]))
    return folder / "bin"


def test_everything_is_aboard(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "symbackprop/py.typed" in names
    assert any(n.startswith("symbackprop/templates/") and n.endswith(".jinja") for n in names)
    shipped = {f"symbackprop/models/{p.name}" for p in ROOT.glob("symbackprop/models/*.net")}
    grammars = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("symbackprop/**/*.lark")}
    templates = {f"symbackprop/{p.relative_to(ROOT)}" for p in ROOT.glob("templates/**/*.jinja")}
    assert min(len(shipped), len(grammars), len(templates)) > 0
    assert shipped | grammars | templates <= names
    assert not [n for n in names if n.startswith(("tests/", "templates/"))]


@pytest.mark.parametrize(
    "words",
    [
        ["models"],
        ["derive", "three-layer"],
        ["notes", "three-layer"],
        ["kernel", "three-layer"],
        ["prove", "tanh(z) == 2*sigmoid(2*z) - 1"],
        ["--version"],
    ],
    ids=lambda words: words[0],
)
def test_it_works_from_another_folder(installed: Path, words: list[str], tmp_path: Path) -> None:
    command = [str(installed / "python"), "-I", str(installed / "symbackprop"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    code = "import symbackprop, symbackprop.pipeline; print(symbackprop.__file__)"
    command = [str(installed / "python"), "-I", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert Path(done.stdout.strip()).is_relative_to(installed.parent), done.stderr


def test_the_archive_of_sources_can_be_built(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", str(tmp_path)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.glob("symbackprop-*.tar.gz"))

"""What an installation promises: version, commands, configurations, no trace of one machine."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import geoinfluencer

REPOSITORY = Path(__file__).resolve().parents[1]
# Absolute paths of one person's or one machine's folders; /dev, /usr and the like are everyone's.
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|root|home|tmp|Users|mnt|scratch)/[\w.]")
GENERATED = {"build", "dist", "runs", "__pycache__"}


def repository_files() -> list[Path]:
    """The files that are, or would be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        files = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked source archive, with what tools leave in it
        folders = [
            path
            for path in REPOSITORY.iterdir()
            if path.is_dir() and path.name not in GENERATED and not path.name.startswith(".")
        ]
        files = list(REPOSITORY.glob("*.*"))
        files += [path for folder in folders for path in folder.rglob("*.*")]
        files = [p for p in files if not GENERATED & set(p.relative_to(REPOSITORY).parts)]
    return [path for path in files if path.is_file()]


def test_files_name_no_folder_of_one_machine() -> None:
    files = repository_files()
    assert len(files) > 20, f"only {len(files)} files found below {REPOSITORY}"
    found = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture or an archive
        found += [
            f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
            for number, line in enumerate(lines, 1)
            if MACHINE_PATH.search(line)
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("cd " + "/home/" + "ada/data", True),
        ("'" + "/tmp/" + "x.csv'", True),
        ("../shared/data/trackml", False),
        ("https://example.org/home/page", False),
        ("$HOME/work/data", False),
    ],
)
def test_machine_paths_are_told_from_others(line: str, is_one: bool) -> None:
    assert bool(MACHINE_PATH.search(line)) == is_one


def test_version_is_one_and_the_same() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", geoinfluencer.__version__)
    try:
        installed = metadata.version("geoinfluencer")
    except metadata.PackageNotFoundError:
        pytest.skip("geoinfluencer is on the path but not installed")
    assert installed == geoinfluencer.__version__


def test_command_and_module_are_the_same_program() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    (target,) = re.findall(r'^geoinfluencer = "([\w.]+:\w+)"$', text, re.M)
    module, function = target.split(":")
    assert callable(getattr(importlib.import_module(module), function))
    run = subprocess.run(
        [sys.executable, "-m", "geoinfluencer", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for command in ("train", "eval", "predict", "plot", "bench", "doctor", "datasets"):
        assert command in run.stdout


def test_public_names_exist() -> None:
    for name in ("train", "evaluate", "predict"):
        assert callable(getattr(geoinfluencer, name))
    for name in geoinfluencer.__all__:
        assert hasattr(geoinfluencer, name), name


def test_package_is_marked_as_typed() -> None:
    assert (Path(geoinfluencer.__file__).parent / "py.typed").is_file()


def test_torch_is_pinned_where_it_is_installed_and_free_where_it_is_required() -> None:
    pins = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8")
    assert re.search(r"^torch==\d", pins, re.M)
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert '"torch>=2.9"' in project


def test_the_pure_torch_twins_run_where_the_library_is_switched_off() -> None:
    code = (
        "import json, torch; from geoinfluencer import ops; "
        "index, _ = ops.knn(torch.eye(3), k=1); "
        "print(json.dumps([ops.backend(), list(index.shape)]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "GEOINFLUENCER_DISABLE_NATIVE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    backends, shape = json.loads(run.stdout)
    assert shape == [3, 1]
    assert backends and not any(name.startswith("native") for name in backends.values())

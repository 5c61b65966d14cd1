"""The command in a process of its own, from a folder that is not the repository."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(path: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(path), "OMP_NUM_THREADS": "1"}


def test_import_is_light() -> None:
    heavy = "{'torch', 'lightning', 'matplotlib', 'pandas', 'torch_geometric'}"
    code = f"import sys, geoinfluencer, geoinfluencer.cli.main; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(REPOSITORY), capture_output=True, text=True
    )
    assert done.stdout == "set()\n", done.stderr


def test_public_names() -> None:
    import geoinfluencer

    assert set(geoinfluencer.__all__) <= set(dir(geoinfluencer))
    for name in geoinfluencer.__all__:
        assert getattr(geoinfluencer, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        geoinfluencer.nothing  # noqa: B018


@pytest.mark.slow
def test_configurations_are_found_as_in_a_wheel(tmp_path: Path, tiny: list[str]) -> None:
    site = tmp_path / "site-packages"
    shutil.copytree(
        REPOSITORY / "geoinfluencer",
        site / "geoinfluencer",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(REPOSITORY / "configs", site / "geoinfluencer" / "configs")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-m", "geoinfluencer", "train", "--dataset", "toy-tracks"]
    done = subprocess.run(
        [*command, "--max-steps", "1", "--out", "run", *tiny],
        cwd=elsewhere, env=environment(site), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "run" / "report.html").is_file()
    assert [path.name for path in elsewhere.iterdir()] == ["run"]


@pytest.mark.slow
def test_a_terminal_gets_a_bar(tmp_path: Path, tiny: list[str]) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "geoinfluencer", "train", "--dataset", "toy-tracks"]
    process = subprocess.Popen(
        [*command, "--max-steps", "30", "--out", str(tmp_path / "run"), *tiny],
        env=environment(REPOSITORY), stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert process.wait(timeout=120) == 0
    text = seen.decode()
    assert "\rtraining [" in text and "/30 steps" in text and " left" in text and "/s" in text

"""Builds a wheel with and one without a compiler and uses each from a folder of its own.

Each wheel goes into a fresh environment that borrows only the dependencies of the running one, so
that neither the repository nor an editable installation is in reach; the command line must then
train and evaluate there, built-in configurations included.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = (".so", ".dylib", ".dll")
DISTRIBUTION_TOOLS = ("env", "bash", "sh", "uname")  # what is left on PATH without a compiler
REPORT = (
    "import geoinfluencer, json; from geoinfluencer import ops; "
    "print(geoinfluencer.__file__); print(json.dumps(ops.backend()))"
)


def build(out: Path, environment: dict[str, str]) -> Path:
    """An isolated build, as `pip install .` makes it; returns the wheel."""
    command = [sys.executable, "-m", "pip", "wheel", "--verbose", "--no-deps", "-w", str(out), "."]
    start = time.monotonic()
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{run.stdout[-4000:]}{run.stderr[-4000:]}")
    heavy = [line for line in run.stdout.splitlines() if "Collecting torch" in line]
    assert not heavy, f"the build environment pulls torch in: {heavy}"
    (wheel,) = out.glob("*.whl")
    print(
        f"built {wheel.name}, {wheel.stat().st_size / 1e3:.0f} kB, "
        f"in {time.monotonic() - start:.0f} s",
        flush=True,
    )
    return wheel


def check_contents(wheel: Path, *, native: bool) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    libraries = [name for name in names if name.endswith(LIBRARY)]
    configs = {p.name for p in (ROOT / "configs").glob("*.yaml")}
    shipped = {Path(n).name for n in names if n.startswith("geoinfluencer/configs/")}
    assert bool(libraries) == native, f"{wheel.name} holds the libraries {libraries}"
    assert configs and configs <= shipped, f"{wheel.name} lacks {sorted(configs - shipped)}"
    assert "geoinfluencer/py.typed" in names
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"geoinfluencer"}, f"{wheel.name} installs {sorted(tops)}"
    build_files = [name for name in names if name.endswith((".h", ".cmake", ".a", ".cpp", ".o"))]
    assert not build_files, f"{wheel.name} holds what only C++ needs: {build_files}"
    tag = "py3-none-any" if not native else "py3-none-"
    assert tag in wheel.name, f"{wheel.name} is tied to one Python"


def use(wheel: Path, folder: Path, *, native: bool) -> None:
    """Installs the wheel into an environment of its own and runs the commands outside the clone."""
    venv.create(folder / "env", with_pip=True, symlinks=True)
    python = folder / "env" / "bin" / "python"
    own = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    # A plain path line: the dependencies come along, the editable installation's hook does not.
    (Path(own) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed", str(wheel)]
    subprocess.run([python, *install], check=True)

    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    said = subprocess.run(
        [python, "-c", REPORT], cwd=elsewhere, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    where, backends = said.stdout.splitlines()
    assert where.startswith(own), f"{where} is not the installed wheel"
    runs_native = {name.startswith("native") for name in json.loads(backends).values()}
    assert runs_native == {native}, f"{wheel.name} runs on {backends}"

    command = folder / "env" / "bin" / "geoinfluencer"
    for arguments in (
        ["doctor"],
        ["train", "--dataset", "toy-tracks", "--preset", "quick", "--max-steps", "3", "--out", "r",
         "--set", "data.calib_events=5", "data.val_events=5"],
        ["eval", "--checkpoint", "r/checkpoints/best.ckpt", "--dataset", "toy-tracks", "--split",
         "test", "--set", "data.test_events=5", "--out", "r/test"],
    ):  # fmt: skip
        start = time.monotonic()
        run = subprocess.run(
            [command, *arguments], cwd=elsewhere, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if run.returncode:
            raise SystemExit(
                f"{wheel.name}: geoinfluencer {' '.join(arguments)} left with {run.returncode}:\n"
                f"{run.stdout[-4000:]}{run.stderr[-4000:]}"
            )
        print(f"  geoinfluencer {arguments[0]}: {time.monotonic() - start:.0f} s", flush=True)
    for name in ("config.yaml", "metrics.json", "checkpoints/best.ckpt", "test/metrics.json"):
        assert (elsewhere / "r" / name).is_file(), f"{wheel.name}: the run wrote no {name}"


def without_compiler(folder: Path) -> dict[str, str]:
    """An environment in which CMake finds no working compiler."""
    folder.mkdir()
    for tool in DISTRIBUTION_TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return {**os.environ, "PATH": str(folder), "CC": "/bin/false", "CXX": "/bin/false"}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheels = []
        if any(shutil.which(compiler) for compiler in ("c++", "g++", "clang++")):
            wheels.append((build(folder / "native", dict(os.environ)), True))
        else:
            print("no C++ compiler here: only the wheel without the library is built")
        wheels.append((build(folder / "torch", without_compiler(folder / "bin")), False))
        for wheel, native in wheels:
            check_contents(wheel, native=native)
            place = folder / f"use-{'native' if native else 'torch'}"
            place.mkdir()
            use(wheel, place, native=native)


if __name__ == "__main__":
    main()

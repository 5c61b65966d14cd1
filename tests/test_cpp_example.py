"""The C++ package and its example: installed by CMake, built against, equal to ``condense``."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from geoinfluencer import condense, ops

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLE = REPOSITORY / "examples" / "cpp"
BUILD = REPOSITORY / "build" / "cpp"  # kept, so that only the first run compiles the kernels
HOST = """#include <geoinfluencer/api.h>
int main(void) { return geo_abi_version() > 0 ? 0 : 1; }
"""
AS_SUBDIRECTORY = """cmake_minimum_required(VERSION 3.22)
project(host LANGUAGES C CXX)
add_subdirectory({root} kernels EXCLUDE_FROM_ALL)
add_executable(host host.c)
target_link_libraries(host PRIVATE geoinfluencer::kernels)
install(TARGETS host)
"""


def run(*command: object, folder: Path = REPOSITORY) -> str:
    """Standard output of a command that must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if shutil.which("cmake") is None:
        pytest.skip("needs cmake on PATH")
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++", os.environ.get("CXX", ""))):
        pytest.skip("needs a C++ compiler on PATH")


@pytest.fixture(scope="module")
def prefix(_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, installed and then moved: it must be relocatable."""
    folder = tmp_path_factory.mktemp("package")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:  # parallel test processes share the build
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("cmake", "-S", REPOSITORY, "-B", BUILD, "-DGEOINFLUENCER_CUDA=OFF")
        run("cmake", "--build", BUILD, "--target", "geoinfluencer_cpu", "-j", 2)
        run("cmake", "--install", BUILD, "--prefix", folder / "first", "--component", "cpp")
    return (folder / "first").rename(folder / "moved")


@pytest.fixture(scope="module")
def program(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built against the package alone."""
    folder = tmp_path_factory.mktemp("example")
    run("cmake", "-S", EXAMPLE, "-B", folder, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", folder)
    return folder / "condense"


def test_package_holds_what_it_needs(prefix: Path) -> None:
    names = {str(p.relative_to(prefix)) for p in prefix.rglob("*") if p.is_file()}
    assert "include/geoinfluencer/api.h" in names
    for name in ("Config", "ConfigVersion", "Targets"):
        assert any(n.endswith(f"cmake/geoinfluencer/geoinfluencer{name}.cmake") for n in names)
    assert not any("geoinfluencer/ops" in name for name in names)
    texts = [p.read_text() for p in prefix.rglob("*.cmake")]
    assert not any(str(REPOSITORY) in text for text in texts), "the package names its origin"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_example_equals_condense(program: Path, tmp_path: Path, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    size, dim, radius = 400, (2, 3, 8)[seed], 0.5
    centre = torch.randn(size // 10, dim, generator=rng).repeat_interleave(10, 0) * 2
    follower = centre + 0.15 * torch.randn(size, dim, generator=rng)
    influencer = centre + 0.3 * torch.randn(size, dim, generator=rng)
    event = tmp_path / "event.csv"
    rows = torch.cat([follower, influencer], 1).numpy()
    np.savetxt(event, rows, fmt="%.9g", delimiter=",")  # nine digits are exact

    said = subprocess.run(
        [str(program), str(event), str(dim), str(radius)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = condense(follower, influencer, radius=radius, min_share=0.0)
    assert 1 < len(found) < size
    assert [int(word) for word in said.stdout.split()] == found.instance.tolist()
    energy, active = ops.influence_potential(follower, influencer, radius=radius)
    words = said.stderr.split()
    assert words[:4] == [str(size), "nodes,", str(len(found)), "instances,"]
    assert float(words[5]) == pytest.approx(energy.item(), rel=1e-5)
    assert int(words[7]) == active.item()


@pytest.mark.parametrize("text", ["1,2,3,4\n5,6,7\n", "1,2,3,4\n5,x,7,8\n", None])
def test_example_refuses_what_is_no_event(program: Path, tmp_path: Path, text: str | None) -> None:
    event = tmp_path / "event.csv"
    if text is not None:
        event.write_text(text)
    done = subprocess.run(
        [str(program), str(event), "2", "0.5"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stdout == ""
    assert f"{event}: not readable as lines of 2 x 2 numbers" in done.stderr


def test_another_version_is_refused(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\nproject(p LANGUAGES CXX)\n"
        "find_package(geoinfluencer 99.0 REQUIRED CONFIG)\n"
    )
    command = ["cmake", "-S", str(tmp_path), "-B", str(tmp_path / "b")]
    done = subprocess.run(
        [*command, f"-DCMAKE_PREFIX_PATH={prefix}"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and "99.0" in done.stderr


def test_header_is_c_and_the_project_can_be_a_subdirectory(tmp_path: Path) -> None:
    """Configures and compiles the host alone: the kernels were built above."""
    (tmp_path / "CMakeLists.txt").write_text(AS_SUBDIRECTORY.format(root=REPOSITORY))
    (tmp_path / "host.c").write_text(HOST)
    build = tmp_path / "build"
    run("cmake", "-S", tmp_path, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-G", "Unix Makefiles")
    run("make", "-C", build, "-f", "CMakeFiles/host.dir/build.make", "CMakeFiles/host.dir/host.c.o",
        folder=tmp_path)  # fmt: skip


def test_a_compiler_without_vector_extensions_is_refused(tmp_path: Path) -> None:
    command = ["cmake", "-S", str(REPOSITORY), "-B", str(tmp_path), "-DMSVC=ON"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "vector extensions of GCC or Clang" in done.stderr

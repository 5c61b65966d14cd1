"""Who may import whom, read from the source: what keeps a loss or a layer usable on its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "geoinfluencer"

TOP = "the top of the package"  # its public interface, which imports everything

# A package may import what stands here and, through it, everything further down.
DIRECT: dict[str, set[str]] = {
    "errors": set(),
    "files": set(),
    "ops": set(),
    "nn": {"ops"},
    "losses": {"ops"},
    "condensation": {"ops"},
    "graphs": {"ops"},
    "metrics": {"files"},
    "datasets": {"graphs", "files"},
    "models": {"nn"},
    "plots": {"metrics", "files"},
    "training": {
        "models",
        "losses",
        "condensation",
        "metrics",
        "plots",
        "datasets",
        "graphs",
        TOP,
    },
    "bench": {"ops", "losses", "plots"},
    "compare": {"training", "bench"},
    "cli": {"training", "bench", "compare"},
    TOP: set(),
}
STANDALONE = ("losses", "nn", "ops", "condensation")


def allowed(package: str) -> set[str]:
    """Everything that `package` may import, itself and the error class included."""
    reached, todo = {package, "errors"}, [package]
    while todo:
        for below in DIRECT[todo.pop()] - reached:
            reached.add(below)
            todo.append(below)
    return reached


def imports(source: str, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Yields (line, absolute dotted name) of every import in `source`, wherever it stands, and of
    what is read off the bare package after `import geoinfluencer`."""
    anchor = module.split(".") if is_package else module.split(".")[:-1]
    tree = ast.parse(source)
    bare = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "geoinfluencer"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name != "geoinfluencer":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in bare:
                yield node.lineno, f"geoinfluencer.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            base = anchor[: len(anchor) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            for alias in node.names:
                yield node.lineno, ".".join([*base, alias.name])
        elif isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            first = node.args[0]
            if name in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                yield node.lineno, str(first.value)


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """The imports of `module` (dotted, below geoinfluencer) that point the wrong way."""
    own = module.split(".")[1]
    found = []
    for line, name in imports(source, module, is_package):
        parts = name.split(".")
        if parts[0] != "geoinfluencer":
            continue
        # A dunder such as __version__ names nothing that is imported.
        target = parts[1] if len(parts) > 1 else TOP
        if not target.startswith("__") and target not in allowed(own):
            found.append(f"{module}:{line} imports {name}")
    return found


def modules() -> list[tuple[str, Path]]:
    """Every module but the top's own, with its dotted name."""
    files = sorted(set(ROOT.rglob("*.py")) - {ROOT / "__init__.py", ROOT / "__main__.py"})
    named = [(f.relative_to(ROOT).with_suffix("").parts, f) for f in files]
    return [(".".join(["geoinfluencer", *p]).removesuffix(".__init__"), f) for p, f in named]


def test_every_subpackage_has_a_place_in_the_direction() -> None:
    present = {name.split(".")[1] for name, _ in modules()}
    assert present, f"no packages found below {ROOT}"
    assert present <= set(DIRECT), f"give {sorted(present - set(DIRECT))} a line in DIRECT"


def test_imports_point_one_way() -> None:
    found = [
        line
        for name, file in modules()
        for line in violations(file.read_text(encoding="utf-8"), name, file.name == "__init__.py")
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "from geoinfluencer.models import InfluencerSegmenter",
        "import geoinfluencer.training.run as run",
        "from .. import datasets",
        "from ..training.config import Config",
        "def late():\n    from geoinfluencer import cli",
        "def late():\n    import importlib\n    importlib.import_module('geoinfluencer.models')",
        "from geoinfluencer import train",
        "import geoinfluencer\ngeoinfluencer.train()",
    ],
)
def test_a_wrong_import_is_found(source: str) -> None:
    assert violations(source, "geoinfluencer.losses.influencer")


@pytest.mark.parametrize(
    "source",
    [
        "from geoinfluencer import ops",
        "from .terms import LossTerms",
        "from ..ops import knn",
        "from geoinfluencer.errors import InputError",
        "from geoinfluencer import __version__",
        "import geoinfluencer\nfolders = geoinfluencer.__path__",
        "import torch.nn as nn",
    ],
)
def test_a_right_import_passes(source: str) -> None:
    assert not violations(source, "geoinfluencer.losses.influencer")


def test_relative_imports_of_a_package_start_from_itself() -> None:
    assert not violations("from . import terms", "geoinfluencer.losses", is_package=True)
    assert violations("from .. import models", "geoinfluencer.losses", is_package=True)


@pytest.mark.parametrize("package", STANDALONE)
def test_importing_a_building_block_loads_no_application(package: str) -> None:
    code = (
        f"import sys, geoinfluencer.{package}\n"
        "upper = {'models', 'datasets', 'training', 'bench', 'compare', 'cli', 'plots'}\n"
        "mine = {m.split('.')[1] for m in sys.modules if m.startswith('geoinfluencer.')}\n"
        "heavy = {'lightning', 'matplotlib', 'pydantic', 'tensorboard'} & set(sys.modules)\n"
        "print(sorted(mine & upper), sorted(heavy))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["[]", "[]"], run.stdout

"""The packages that are timed beside this one; none of them is a runtime dependency."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from geoinfluencer.errors import InputError, suggest

OURS = "geoinfluencer"


@dataclass(frozen=True)
class Peer:
    """A package and how it gets here.

    Attributes:
        module: imported; ``""``: always there.
        distribution: whose version is reported.
        install: the line that brings it.
    """

    module: str
    distribution: str
    install: str


_BENCH = "pip install 'geoinfluencer[bench]'"
_PYG = "pip install --no-build-isolation 'geoinfluencer[pyg-ops]'"

PEERS = {
    "torch_cluster": Peer("torch_cluster", "torch-cluster", _PYG),
    "torch_scatter": Peer("torch_scatter", "torch-scatter", _PYG),
    "scipy": Peer("scipy.spatial", "scipy", "pip install scipy"),
    "sklearn": Peer("sklearn.neighbors", "scikit-learn", "pip install scikit-learn"),
    "keops": Peer("pykeops.torch", "pykeops", _BENCH),
    "object_condensation": Peer("object_condensation.pytorch", "object-condensation", _BENCH),
    "dense": Peer("", "torch", ""),
    "torch": Peer("", "torch", ""),
    "torch_compile": Peer("", "torch", ""),
}


def missing(names: Sequence[str]) -> dict[str, str]:
    """Those of the named peers that cannot be imported, each with the line that installs it."""
    os.environ.setdefault("KEOPS_VERBOSE", "0")  # it reports on its compiler otherwise
    os.environ.setdefault("PYKEOPS_VERBOSE", "0")
    return {name: PEERS[name].install for name in names if not _imports(PEERS[name].module)}


def _imports(module: str) -> bool:
    if not module:
        return True
    try:
        importlib.import_module(module)
    except (ImportError, OSError):  # OSError: built for another torch, an undefined symbol
        return False
    return True


def chosen_peers(names: Sequence[str], flag: str = "--peers") -> list[str]:
    """What ``--peers`` means: names, or ``all`` or ``none`` alone."""
    if list(names) == ["all"]:
        return list(PEERS)
    if list(names) == ["none"]:
        return []
    for name in names:
        if name in ("all", "none"):
            raise InputError(f"{flag}: {name!r} stands alone; leave out the other names")
        if name not in PEERS:
            raise InputError(
                f"{flag}: no peer is called {name!r}; {suggest(name, [*PEERS, 'all', 'none'])}"
            )
    return [name for name in PEERS if name in names]


def require(names: Sequence[str]) -> None:
    """Raises InputError where a required peer is missing or unknown."""
    for name, line in missing(chosen_peers(names, "--require")).items():
        raise InputError(f"--require {name}: it is not installed here; {line}")


def version(peer: str) -> str:
    """The version of a peer, or of this package."""
    from geoinfluencer import __version__

    if peer == OURS:
        return __version__
    try:
        return metadata.version(PEERS[peer].distribution)
    except metadata.PackageNotFoundError:
        return "unknown"

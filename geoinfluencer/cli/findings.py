"""What this machine and installation offer."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.training.checkpoint import versions
from geoinfluencer.training.configuration.resolve import config_folder, machine_preset
from geoinfluencer.training.fitting.loader import cores

_EXTRAS = {  # extra -> (module, distribution)
    "test": ("pytest", "pytest"),
    "images": ("pycocotools", "pycocotools"),
    "timm": ("timm", "timm"),
    "fast-coco": ("faster_coco_eval", "faster-coco-eval"),
    "baselines": ("sklearn", "scikit-learn"),
    "bench": ("object_condensation", "object-condensation"),
    "docs": ("pdoc", "pdoc"),
    "pyg-ops": ("torch_cluster", "torch-cluster"),
}


def findings() -> dict[str, dict[str, str]]:
    """Sections of name -> value, all as text."""
    return {
        "versions": versions(),
        "machine": _machine(),
        "cuda": _cuda(),
        "ops": {name: str(backend) for name, backend in ops.backend().items()},
        "extras": {name: _extra(*where) for name, where in _EXTRAS.items()},
        "files": {"configurations": _configs(), "default preset": machine_preset(), **_test_data()},
    }


def _machine() -> dict[str, str]:
    found = {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": f"{cores()} usable of {os.cpu_count()}",
        "torch threads": str(torch.get_num_threads()),
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        page, gib = os.sysconf("SC_PAGE_SIZE"), 2**30
        total = os.sysconf("SC_PHYS_PAGES") * page / gib
        free = os.sysconf("SC_AVPHYS_PAGES") * page / gib
        found["memory"] = f"{total:.1f} GiB, {free:.1f} GiB free"
    return found


def _cuda() -> dict[str, str]:
    if torch.cuda.is_available():
        found = {"available": f"yes, CUDA {torch.version.cuda}"}
        for index in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(index)
            found[f"device {index}"] = (
                f"{card.name}, {card.total_memory / 2**30:.0f} GiB, sm_{card.major}{card.minor}"
            )
        return found
    if torch.version.cuda is None:
        return {"available": "no: this torch was built for the CPU alone"}
    if not Path("/dev/nvidiactl").exists() and platform.system() == "Linux":
        return {
            "available": "no: torch has CUDA, but there is no NVIDIA driver (no /dev/nvidiactl)"
        }
    return {"available": "no: torch has CUDA and there is a driver, but no usable device"}


def _extra(module: str, distribution: str) -> str:
    if find_spec(module) is None:
        return "not installed"
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "installed"


def _configs() -> str:
    try:
        return str(config_folder())
    except InputError as error:
        return str(error)


def _test_data() -> dict[str, str]:
    name = "GEOINFLUENCER_TEST_DATA"
    place = os.environ.get(name)
    if not place:
        return {"test data": f"none (${name} is not set)"}
    return {"test data": place if Path(place).is_dir() else f"none (${name}: no folder {place})"}

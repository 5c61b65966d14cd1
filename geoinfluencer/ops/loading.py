"""Finds and loads the native libraries by ctypes; one that is not there is a reason, no error."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path
from typing import Any

from geoinfluencer.ops import signatures

FOLDER = "GEOINFLUENCER_LIBRARY_DIR"  # variable: another build, and no other one then


def library_file(stem: str) -> Path | None:
    """The library beside the package; ``__path__`` has every folder of an editable install."""
    import geoinfluencer

    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    named = os.environ.get(FOLDER)
    homes = [Path(p) / sub for p in geoinfluencer.__path__ for sub in ("ops", "")]
    for folder in [Path(named)] if named else homes:
        for name in (f"lib{stem}{suffix}", f"{stem}{suffix}"):
            if (folder / name).is_file():
                return folder / name
    return None


@functools.cache
def load_cpu() -> tuple[ctypes.CDLL | None, str]:
    """The CPU library, or None and why not."""
    missing = "the library was not built (no C++ compiler at installation?)"
    return _load("geoinfluencer_cpu", "geo_", signatures.CPU, missing)


@functools.cache
def load_cuda() -> tuple[ctypes.CDLL | None, str]:
    """The CUDA library, or None and why not."""
    missing = "the CUDA library was not built (no nvcc at installation?)"
    return _load("geoinfluencer_cuda", "geo_cuda_", signatures.CUDA, missing)


def _load(
    stem: str, prefix: str, table: dict[str, list[Any]], missing: str
) -> tuple[ctypes.CDLL | None, str]:
    path = library_file(stem)
    if path is None:
        named = os.environ.get(FOLDER)
        return None, f"{FOLDER}={named} has none" if named else missing
    try:
        library = ctypes.CDLL(str(path))
        version, wanted = getattr(library, f"{prefix}abi_version")(), signatures.ABI_VERSION
        if version != wanted:
            raise OSError(f"it has ABI {version}, this package wants {wanted}: reinstall")
        for name, arguments in table.items():
            function = getattr(library, name)
            function.argtypes = arguments
            function.restype = signatures.RESULTS.get(name, ctypes.c_int32)
    except (OSError, AttributeError) as error:
        return None, f"{path.name} could not be loaded: {error}"
    return library, ""

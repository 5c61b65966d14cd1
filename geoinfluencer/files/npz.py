"""NPZ and NPY files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from geoinfluencer.errors import InputError


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file; that of an NPY file has the name ``""``.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {"": found}
        with found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: cannot be read as {path.suffix[1:].upper()} ({error}); is the file whole?"
        ) from error

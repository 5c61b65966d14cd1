from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.files.npz import read_npz


def test_arrays_by_name(tmp_path: Path) -> None:
    one, two = np.arange(3), np.eye(2, dtype=np.float32)
    np.savez(tmp_path / "a.npz", one=one, two=two)
    np.save(tmp_path / "b.npy", two)
    found = read_npz(tmp_path / "a.npz")
    assert list(found) == ["one", "two"] and found["two"].dtype == np.float32
    np.testing.assert_array_equal(found["one"], one)
    assert list(read_npz(tmp_path / "b.npy")) == [""]
    np.testing.assert_array_equal(read_npz(tmp_path / "b.npy")[""], two)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "half.npz", one=np.arange(1000))
    content = (tmp_path / "half.npz").read_bytes()
    (tmp_path / "half.npz").write_bytes(content[: len(content) // 2])
    np.save(tmp_path / "code.npy", np.array([{}], object))  # would run code
    (tmp_path / "empty.npz").write_bytes(b"")
    for name, kind in (("half.npz", "NPZ"), ("code.npy", "NPY"), ("empty.npz", "NPZ")):
        with pytest.raises(InputError, match=rf"{name}: cannot be read as {kind} .*whole\?"):
            read_npz(tmp_path / name)
    with pytest.raises(InputError, match=r"none.npz: cannot be read as NPZ"):
        read_npz(tmp_path / "none.npz")

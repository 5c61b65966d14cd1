"""Arrays at the boundary of the metrics: one length, one kind, no silent loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from geoinfluencer.errors import InputError


def as_array(name: str, values: Any, dtype: type, length: int | None = None) -> np.ndarray:
    """Return the values as a 1-d array of the kind, without changing any value.

    Tensors are taken to the CPU. Integral floats become integers when that is exact.

    Args:
        name: What the values are, for the message.
        values: Array, tensor or list.
        dtype: ``np.int64``, ``np.float64`` or ``bool``.
        length: Expected length.

    Raises:
        InputError: Names the argument, its shape and the first bad value.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.ndim != 1 or (length is not None and len(array) != length):
        expected = "(N,)" if length is None else f"({length},)"
        raise InputError(f"{name} has shape {array.shape}, expected {expected}")
    if array.dtype == dtype or len(array) == 0:
        return array.astype(dtype)
    if dtype is np.float64 and array.dtype.kind in "iufb":
        return array.astype(np.float64)
    if dtype is bool and array.dtype.kind in "iu" and np.isin(array, (0, 1)).all():
        return array.astype(bool)
    if dtype is np.int64 and array.dtype.kind in "iufb":
        if array.dtype.kind == "f":
            exact = 2 ** (np.finfo(array.dtype).nmant + 1)
            bad = ~(np.isfinite(array) & (np.abs(array) < exact))
            bad |= np.where(bad, 0, array) != np.floor(np.where(bad, 0, array))
        else:
            bad = array > np.iinfo(np.int64).max
        if bad.any():
            raise InputError(
                f"{name}: value {array[bad][0]} at position {int(np.flatnonzero(bad)[0])} is not "
                f"an exact 64-bit integer ({array.dtype}); store ids as int64"
            )
        return array.astype(np.int64)
    raise InputError(f"{name} has type {array.dtype}, expected {np.dtype(dtype)}")

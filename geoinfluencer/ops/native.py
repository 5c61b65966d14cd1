"""Calls of the native kernels. Which library serves an op is decided per call.

:func:`cpu` and :func:`cuda` answer ``None`` where the pure-torch twin has to.
``GEOINFLUENCER_DISABLE_NATIVE=1`` asks for the twin, silently.
"""

from __future__ import annotations

import ctypes
import functools
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from geoinfluencer.ops import loading
from geoinfluencer.ops.signatures import SUFFIX

OPS = (
    "influence_potential", "knn", "radius", "radius_count", "suppress", "segment_reduce",
    "segment_gather", "farthest_point_sampling", "grid_pool", "query_profiles", "query_claims",
    "capacity_coupling", "slic", "image_regions", "felzenszwalb",
)  # fmt: skip
_TORCH_ON_CUDA = {
    "segment_gather": "it is torch's index",
    "grid_pool": "torch sorts the cells",
    "query_profiles": "its twin",
    "query_claims": "its twin",
    "capacity_coupling": "its twin",
    "slic": "images are segmented on the CPU",
    "image_regions": "images are described on the CPU",
    "felzenszwalb": "graphs are segmented on the CPU",
}
MAX_DIM = 64  # csrc/cpu: wider points go to the twin
HUGE = 4 << 20  # csrc/cpu/memory.cpp: bytes, from here on in huge pages

OK, ID_RANGE, CUDA_ERROR = 0, 3, 1000
_ERRORS = {1: "bad argument", 2: "out of memory"}


class NativeError(RuntimeError):
    """A kernel returned an error code."""


def disabled() -> bool:
    """Whether the environment asks for the pure-torch twins."""
    return os.environ.get("GEOINFLUENCER_DISABLE_NATIVE", "") not in ("", "0")


_forced_off = False


@contextmanager
def forced_off() -> Iterator[None]:
    """Runs the pure-torch twins inside the block (tests, comparisons)."""
    global _forced_off
    before, _forced_off = _forced_off, True
    try:
        yield
    finally:
        _forced_off = before


@functools.cache
def _warn_once(reason: str) -> None:
    warnings.warn(
        f"geoinfluencer runs its slower pure-torch ops: {reason}", RuntimeWarning, stacklevel=4
    )


def cpu(points: Tensor, *, any_width: bool = False) -> ctypes.CDLL | None:
    """The CPU library if it can serve these points, or these rows of ``any_width``."""
    return cpu_library(points) if _fits(points, any_width) else None


def cuda(points: Tensor, *, any_width: bool = False) -> ctypes.CDLL | None:
    """The CUDA library if it can serve these points, or these rows of ``any_width``."""
    return _serving(points, "cuda", loading.load_cuda) if _fits(points, any_width) else None


def _fits(points: Tensor, any_width: bool) -> bool:
    return points.dtype in SUFFIX and (any_width or points.shape[1] <= MAX_DIM)


def cpu_library(values: Tensor) -> ctypes.CDLL | None:
    """The CPU library for values that are there, whatever their type."""
    return _serving(values, "cpu", loading.load_cpu)


def _serving(
    values: Tensor, device: str, load_library: Callable[[], tuple[ctypes.CDLL | None, str]]
) -> ctypes.CDLL | None:
    if values.device.type != device or _forced_off or disabled():
        return None
    library, reason = load_library()
    if library is None:
        _warn_once(reason)
    return library


_NOTHING = ctypes.create_string_buffer(64)


def _pointer(value: Tensor) -> int:
    """Its address; of an empty tensor some valid one, since NULL means "not given" in the ABI."""
    return value.data_ptr() or ctypes.addressof(_NOTHING)


def call(library: ctypes.CDLL, name: str, dtype: torch.dtype | None, *arguments: Any) -> int:
    """Calls ``name`` in a precision, if it has one; tensors, which must be dense, become pointers.

    Returns OK or ID_RANGE, which the caller explains or remedies.

    Raises:
        NativeError: any other code.
    """
    function = getattr(library, name + SUFFIX[dtype])
    code: int = function(*(_pointer(a) if isinstance(a, Tensor) else a for a in arguments))
    if code >= CUDA_ERROR:
        raise NativeError(f"{name}: CUDA error {code - CUDA_ERROR}")
    if code not in (OK, ID_RANGE):
        raise NativeError(f"{name}: {_ERRORS.get(code, f'error {code}')}")
    return code


def take(
    library: ctypes.CDLL, name: str, dtype: torch.dtype, row_ptr: Tensor, *arguments: Any
) -> Tensor:
    """A search whose number of hits is known only afterwards: fills ``row_ptr``, returns them."""
    handle = ctypes.c_void_p()
    call(library, name, dtype, *arguments, ctypes.addressof(handle))
    index = row_ptr.new_empty(int(row_ptr[-1]))
    library.geo_radius_take(handle, _pointer(index))
    return index


def empty_like(value: Tensor) -> Tensor:
    """Memory for a result, in huge pages where it is 4 MiB or more and the system has some: to
    clear small ones took 48 of the 60 ms of multiplying 96 MB."""
    out = torch.empty_like(value)
    if type(value) is not Tensor or value.nbytes < HUGE:  # a tracer's has no memory
        return out
    if (library := cpu_library(value)) is not None:
        library.geo_ask_huge_pages(out.data_ptr(), out.nbytes)
    return out


def release_memory() -> None:
    """Gives back the scratch memory (256 MiB at most) that the CPU kernels keep between calls."""
    library, _ = loading.load_cpu()
    if library is not None:
        library.geo_release_memory()


def threads() -> int:
    """Threads of one call: torch's own setting."""
    return torch.get_num_threads()


def dense(value: Tensor | None) -> Tensor | None:
    """Row-major memory, or None."""
    return None if value is None else value.contiguous()


def backend() -> dict[str, str]:
    """Which implementation each op uses, such as ``native-cpu 2 threads avx2``, or ``torch``.

    Where torch sees a GPU, what CUDA tensors get is named after a semicolon.
    """
    if _forced_off or disabled():
        return dict.fromkeys(OPS, "torch (native kernels disabled)")
    library, reason = loading.load_cpu()
    name = f"torch ({reason})"
    if library is not None:
        name = f"native-cpu {threads()} threads {library.geo_isa().decode()}"
    found = dict.fromkeys(OPS, name)
    if torch.cuda.is_available():
        library, reason = loading.load_cuda()
        for op in OPS:
            why = reason or _TORCH_ON_CUDA.get(op)
            found[op] += f"; torch on CUDA ({why})" if why else "; native-cuda"
    return found

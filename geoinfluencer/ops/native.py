"""Loading of the native kernels by ctypes: the one table of their C signatures (``csrc/api.h``).

Which library serves an op is decided per call by :func:`cpu` and :func:`cuda`: ``None`` means that
the pure-torch twin has to. ``GEOINFLUENCER_DISABLE_NATIVE=1`` asks for the twin, silently.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

OPS = (
    "influence_potential", "knn", "radius", "radius_count", "suppress", "segment_reduce",
    "segment_gather", "farthest_point_sampling", "grid_pool",
)  # fmt: skip
_TORCH_ON_CUDA = {"segment_gather": "it is torch's index", "grid_pool": "torch sorts the cells"}
MAX_DIM = 64  # csrc/cpu: wider points go to the twin
ABI_VERSION = 2

OK, ID_RANGE, CUDA_ERROR = 0, 3, 1000
_ERRORS = {1: "bad argument", 2: "out of memory"}

_P, _I32, _I64, _F64 = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64, ctypes.c_double
_SETS = [_P, _I64, _P, _I64, _I32, _I64]  # first set, rows, second set, rows, D, B
_CPU_SIGNATURES: dict[str, list[Any]] = {
    "geo_potential": [*_SETS, *[_P] * 6, _F64, _I32, _I32, *[_P] * 4],
    "geo_knn": [*_SETS, _P, _P, _I32, _I32, _P, _P],
    "geo_radius": [*_SETS, _P, _P, _F64, _I32, _I64, _P, _P],
    "geo_radius_count": [*_SETS, _P, _P, _F64, _I32, _P],
    "geo_suppress": [_P, _I64, _I32, _I64, _P, _P, _F64, _I32, _P],
    "geo_segment_reduce": [_P, _I64, _I64, _P, _I64, _I32, _F64, _I32, _P],
    "geo_segment_gather": [_P, _I64, _I64, _P, _I64, _I32, _P],
    "geo_fps": [_P, _I64, _I32, _I64, *[_P] * 3, _I32, _P],
    "geo_grid": [_P, _I64, _I32, _I64, *[_P] * 3, _I32, *[_P] * 4],
}
_PLAIN_SIGNATURES: dict[str, list[Any]] = {  # no precision
    "geo_radius_take": [_P, _P],
    "geo_segment_count": [_P, _I64, _I64, _P],
}
_SET = [_P, _I64, _P, _P, _P]  # points, rows, ptr, order, boxes
_PLACE = [_I32, _P]  # device, stream
_SEARCH = [*_SET, *_SET, _I32, _I32, _I64]  # both sets, self, D, B
_CUDA_SIGNATURES: dict[str, list[Any]] = {
    "geo_cuda_boxes": [_P, _I64, _I32, _P, *_PLACE],
    "geo_cuda_potential": [*_SET, *_SET, _I32, _I64, *[_P] * 4, _F64, _I32, *[_P] * 6, *_PLACE],
    "geo_cuda_knn": [*_SEARCH, _I32, _P, _P, *_PLACE],
    "geo_cuda_radius": [*_SEARCH, _F64, *[_P] * 4, *_PLACE],
    "geo_cuda_suppress": [_P, _I64, _I32, _I64, _P, _P, _F64, _P, *_PLACE],
    "geo_cuda_codes": [_P, _I64, _I32, _P, _P, _P, _I64, _I32, _P, *_PLACE],
    "geo_cuda_segment_reduce": [_P, _I64, _I64, _P, _P, _I64, _I32, _F64, _P, *_PLACE],
    "geo_cuda_fps": [_P, _I64, _I32, _I64, *[_P] * 5, *_PLACE],
}
_SUFFIX = {torch.float32: "_f32", torch.float64: "_f64", None: ""}


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


def _library_file(stem: str) -> Path | None:
    """The library beside the package; ``__path__`` has every folder of an editable install."""
    import geoinfluencer

    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    named = os.environ.get("GEOINFLUENCER_LIBRARY_DIR")  # another build, and no other one then
    homes = [Path(p) / sub for p in geoinfluencer.__path__ for sub in ("ops", "")]
    for folder in [Path(named)] if named else homes:
        for name in (f"lib{stem}{suffix}", f"{stem}{suffix}"):
            if (folder / name).is_file():
                return folder / name
    return None


def load(path: Path, prefix: str, signatures: dict[str, list[Any]]) -> ctypes.CDLL:
    """Loads a library and sets its signatures; OSError or AttributeError if it does not fit."""
    library = ctypes.CDLL(str(path))
    abi_version = getattr(library, f"{prefix}abi_version")
    abi_version.restype = _I32
    if abi_version() != ABI_VERSION:
        raise OSError(f"it has ABI {abi_version()}, this package wants {ABI_VERSION}: reinstall")
    for name, arguments in signatures.items():
        for suffix in ("_f32", "_f64"):
            function = getattr(library, name + suffix)
            function.argtypes, function.restype = arguments, _I32
    return library


@functools.cache
def _load_cpu() -> tuple[ctypes.CDLL | None, str]:
    """The CPU library, or None and why not."""
    path = _library_file("geoinfluencer_cpu")
    if path is None:
        return None, "the library was not built (no C++ compiler at installation?)"
    try:
        library = load(path, "geo_", _CPU_SIGNATURES)
        for name, arguments in _PLAIN_SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, _I32
        library.geo_isa.restype = ctypes.c_char_p
        library.geo_release_memory.restype = None
    except (OSError, AttributeError) as error:
        return None, f"{path.name} could not be loaded: {error}"
    return library, ""


@functools.cache
def _load_cuda() -> tuple[ctypes.CDLL | None, str]:
    """The CUDA library, or None and why not."""
    path = _library_file("geoinfluencer_cuda")
    if path is None:
        return None, "the CUDA library was not built (no nvcc at installation?)"
    try:
        return load(path, "geo_cuda_", _CUDA_SIGNATURES), ""
    except (OSError, AttributeError) as error:
        return None, f"{path.name} could not be loaded: {error}"


@functools.cache
def _warn_once(reason: str) -> None:
    warnings.warn(
        f"geoinfluencer runs its slower pure-torch ops: {reason}", RuntimeWarning, stacklevel=4
    )


def cpu(points: Tensor, *, any_width: bool = False) -> ctypes.CDLL | None:
    """The CPU library if it can serve these points, or these rows of ``any_width``."""
    if points.dtype not in _SUFFIX or not (any_width or points.shape[1] <= MAX_DIM):
        return None
    return cpu_library(points)


def cuda(points: Tensor, *, any_width: bool = False) -> ctypes.CDLL | None:
    """The CUDA library if it can serve these points, or these rows of ``any_width``."""
    if points.dtype not in _SUFFIX or not (any_width or points.shape[1] <= MAX_DIM):
        return None
    return _serving(points, "cuda", _load_cuda)


def cpu_library(values: Tensor) -> ctypes.CDLL | None:
    """The CPU library for values that are there, whatever their type."""
    return _serving(values, "cpu", _load_cpu)


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
    function = getattr(library, name + _SUFFIX[dtype])
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


def release_memory() -> None:
    """Gives back the scratch memory (64 MiB at most) that the CPU kernels keep between calls."""
    library, _ = _load_cpu()
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
    library, reason = _load_cpu()
    name = f"torch ({reason})"
    if library is not None:
        name = f"native-cpu {threads()} threads {library.geo_isa().decode()}"
    found = dict.fromkeys(OPS, name)
    if torch.cuda.is_available():
        library, reason = _load_cuda()
        for op in OPS:
            why = reason or _TORCH_ON_CUDA.get(op)
            found[op] += f"; torch on CUDA ({why})" if why else "; native-cuda"
    return found

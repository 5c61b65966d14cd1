"""Argument checks shared by the ops: each message names the argument, its shape or value."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from geoinfluencer.errors import InputError

_HALF = (torch.float16, torch.bfloat16)
_FLOATS = (torch.float32, torch.float64, *_HALF)
_LARGEST = {dtype: torch.finfo(dtype).max for dtype in _FLOATS}
_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def describe(value: object) -> str:
    """'float32 tensor of shape (3, 2)', arrays likewise, or the repr of anything else."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):  # of NumPy and its like
        return f"{value.dtype} {type(value).__name__} of shape {tuple(value.shape)}"
    return f"{value!r} ({type(value).__name__})"


def check_points(name: str, value: Tensor, like: Tensor | None = None) -> Tensor:
    """A floating (N, D >= 1) tensor; half precision is promoted to float32."""
    if not isinstance(value, Tensor) or value.dim() != 2 or value.dtype not in _FLOATS:
        raise InputError(f"{name} must be a floating-point tensor (N, D), got {describe(value)}")
    if value.shape[1] < 1:
        raise InputError(f"{name} must have at least one dimension, got {describe(value)}")
    if like is not None:
        if value.shape[1] != like.shape[1]:
            raise InputError(
                f"{name} must have {like.shape[1]} columns like the other set: {describe(value)}"
            )
        if value.device != like.device:
            raise InputError(f"{name} is on {value.device}, the other set on {like.device}")
    return value.float() if value.dtype in _HALF else value


def check_same_dtype(name: str, value: Tensor, like: Tensor) -> None:
    """Both sets in one precision (after the promotion of halves)."""
    if value.dtype != like.dtype:
        raise InputError(f"{name} is {value.dtype}, the other set {like.dtype}: use one of them")


def check_vector(name: str, value: Tensor, size: int, device: torch.device) -> None:
    """A tensor (size,) on the device."""
    if not isinstance(value, Tensor) or value.dim() != 1 or value.shape[0] != size:
        raise InputError(f"{name} must be a tensor of shape ({size},), got {describe(value)}")
    if value.device != device:
        raise InputError(f"{name} is on {value.device}, the points on {device}")


def check_ids(name: str, value: Tensor | None, size: int, device: torch.device) -> Tensor | None:
    """Integer ids (size,), as int64."""
    if value is None:
        return None
    check_vector(name, value, size, device)
    if value.dtype not in _INTEGERS:
        raise InputError(f"{name} must hold integers, got {describe(value)}")
    return value.to(torch.int64)


def check_weight(name: str, value: Tensor | None, size: int, like: Tensor) -> Tensor | None:
    """Weights (size,) in the precision of the points, detached: they carry no gradient."""
    if value is None:
        return None
    check_vector(name, value, size, like.device)
    return value.detach().to(like.dtype)


def check_ptr(name: str, value: Tensor | None, device: torch.device) -> Tensor | None:
    """Row pointers (B + 1,); their values are read by :func:`check_ptr_values`."""
    if value is None:
        return None
    if not isinstance(value, Tensor) or value.dim() != 1 or value.shape[0] < 1:
        raise InputError(f"{name} must be a tensor of shape (B + 1,), got {describe(value)}")
    if value.dtype not in _INTEGERS:
        raise InputError(f"{name} must hold integers, got {describe(value)}")
    if value.device != device:
        raise InputError(f"{name} is on {value.device}, the points on {device}")
    return value.to(torch.int64)


def check_pair_of_ptr(first: str, a: Tensor | None, second: str, b: Tensor | None) -> None:
    """Both sets must be cut into the same number of graphs."""
    graphs_a = 1 if a is None else a.shape[0] - 1
    graphs_b = 1 if b is None else b.shape[0] - 1
    if graphs_a != graphs_b:
        raise InputError(f"{first} names {graphs_a} graphs but {second} names {graphs_b}")


def check_ptr_values(name: str, value: Tensor | None, size: int) -> None:
    """Starts at 0, never decreases, ends at the number of points. Reads the values: host only."""
    if value is None or value.device.type != "cpu" or torch.compiler.is_compiling():
        return
    bounds = value.tolist()
    if bounds[0] != 0 or bounds[-1] != size:
        raise InputError(f"{name} must run from 0 to {size}, got {bounds[0]} to {bounds[-1]}")
    if any(a > b for a, b in itertools.pairwise(bounds)):
        raise InputError(f"{name} must not decrease, got {value}")


def check_radius(name: str, value: float, like: Tensor) -> float:
    """A number >= 0 that is finite in the precision of the points too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} must be a number, got {describe(value)}")
    if not 0 <= value < _LARGEST[like.dtype]:
        raise InputError(f"{name} must be finite (in {like.dtype}) and not negative, got {value!r}")
    return float(value)


def check_count(name: str, value: int, low: int, high: int | None = None) -> int:
    """An integer between low and high."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name} must be an integer, got {describe(value)}")
    if value < low or (high is not None and value > high):
        bound = f"at least {low}" if high is None else f"between {low} and {high}"
        raise InputError(f"{name} must be {bound}, got {value}")
    return value

"""The one table of C signatures: ``csrc/api.h`` and ``csrc/cuda_api.h`` as ctypes wants them."""

from __future__ import annotations

from ctypes import c_char_p, c_double, c_int32, c_int64, c_void_p
from typing import Any

import torch

ABI_VERSION = 8
SUFFIX = {torch.float32: "_f32", torch.float64: "_f64", None: ""}

_P, _I32, _I64, _F64 = c_void_p, c_int32, c_int64, c_double
_SETS = [_P, _I64, _P, _I64, _I32, _I64]  # first set, rows, second set, rows, D, B
_SET = [_P, _I64, _P, _P, _P]  # points, rows, ptr, order, boxes
_SEARCH = [*_SET, *_SET, _I32, _I32, _I64]  # both sets, self, D, B
_PLACE = [_I32, _P]  # device, stream


def _in_both_precisions(signatures: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {
        name + suffix: arguments
        for name, arguments in signatures.items()
        for suffix in ("_f32", "_f64")
    }


CPU = _in_both_precisions(
    {
        "geo_potential": [*_SETS, *[_P] * 6, _F64, _I32, _I32, *[_P] * 4],
        "geo_knn": [*_SETS, _P, _P, _I32, _I32, _P, _P],
        "geo_radius": [*_SETS, _P, _P, _F64, _I32, _I64, _P, _P],
        "geo_radius_count": [*_SETS, _P, _P, _F64, _I32, _P],
        "geo_suppress": [_P, _I64, _I32, _I64, _P, _P, _F64, _I32, _P],
        "geo_segment_reduce": [_P, _I64, _I64, _P, _I64, _I32, _F64, _I32, _P],
        "geo_segment_gather": [_P, _I64, _I64, _P, _I64, _I32, _P],
        "geo_fps": [_P, _I64, _I32, _I64, *[_P] * 3, _I32, _P],
        "geo_profiles": [_P, _I64, _I64, _P, _P, _I64, _I32, *[_P] * 4],
        "geo_profiles_grad": [_P, _I64, _I64, _P, _P, _I64, *[_P] * 5, _I32, _P],
        "geo_claims": [_P, _I64, _I64, _P, _P, _P, _I64, _I32, _P],
        "geo_claims_grad": [_P, _I64, _I64, _P, _P, _P, _I64, _P, _I32, _P],
        "geo_coupling": [_P, _I64, _I64, _I64, _P, *[_F64] * 3, _I32, _I32, _P],
        "geo_grid": [_P, _I64, _I32, _I64, *[_P] * 3, _I32, *[_P] * 4],
    }
) | {
    "geo_radius_take": [_P, _P],
    "geo_slic": [_P, _I64, _I64, _I32, _I64, _F64, _I32, _I64, _I32, _P, _P],
    "geo_felzenszwalb": [_P, _P, _P, _I64, _I64, _F64, _I64, _I32, _P, _P],
    "geo_image_regions": [_P, _P, _I64, _I64, _I32, _I64, *[_P] * 10],
    "geo_segment_count": [_P, _I64, _I64, _P],
    "geo_isa": [],
    "geo_release_memory": [],
    "geo_ask_huge_pages": [_P, _I64],
}
CUDA = _in_both_precisions(
    {
        "geo_cuda_boxes": [_P, _I64, _I32, _P, *_PLACE],
        "geo_cuda_potential": [*_SET, *_SET, _I32, _I64, *[_P] * 4, _F64, _I32, *[_P] * 6, *_PLACE],
        "geo_cuda_knn": [*_SEARCH, _I32, _P, _P, *_PLACE],
        "geo_cuda_radius": [*_SEARCH, _F64, *[_P] * 4, *_PLACE],
        "geo_cuda_suppress": [_P, _I64, _I32, _I64, _P, _P, _F64, _P, *_PLACE],
        "geo_cuda_codes": [_P, _I64, _I32, _P, _P, _P, _I64, _I32, _P, *_PLACE],
        "geo_cuda_segment_reduce": [_P, _I64, _I64, _P, _P, _I64, _I32, _F64, _P, *_PLACE],
        "geo_cuda_fps": [_P, _I64, _I32, _I64, *[_P] * 5, *_PLACE],
    }
)
RESULTS = {  # all others: an error code
    "geo_isa": c_char_p,
    "geo_release_memory": None,
    "geo_ask_huge_pages": None,
}

"""Every wrong argument is named, with its shape or value."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError

X = torch.zeros(4, 3)
IDS = torch.zeros(4, dtype=torch.int64)
POTENTIAL = ops.influence_potential

CASES = {
    "x 1-d": (lambda: POTENTIAL(X[0], radius=1.0), r"x must be .*\(N, D\), got .*\(3,\)"),
    "x integers": (lambda: POTENTIAL(X.long(), radius=1.0), "x must be a floating.*int64"),
    "no dimension": (lambda: POTENTIAL(X[:, :0], radius=1.0), r"x must have .* \(4, 0\)"),
    "y columns": (lambda: POTENTIAL(X, X[:, :2], radius=1.0), r"y must have 3 columns.*\(4, 2\)"),
    "y dtype": (lambda: POTENTIAL(X, X.double(), radius=1.0), "y is torch.float64.*float32"),
    "radius negative": (lambda: POTENTIAL(X, radius=-1.0), "radius must be finite.*-1.0"),
    "radius beyond float32": (lambda: POTENTIAL(X, radius=1e39), r"finite \(in torch.float32\)"),
    "numpy": (lambda: POTENTIAL(X.numpy(), radius=1.0), r"got float32 ndarray of shape \("),
    "radius nan": (lambda: POTENTIAL(X, radius=float("nan")), "radius must be finite.*nan"),
    "radius text": (lambda: POTENTIAL(X, radius="1"), "radius must be a number.*'1'"),
    "power": (lambda: POTENTIAL(X, radius=1.0, power=3), "power must be between 1 and 2, got 3"),
    "one instance": (
        lambda: POTENTIAL(X, X, radius=1.0, x_instance=IDS),
        "y_instance is missing",
    ),
    "y_instance without y": (
        lambda: POTENTIAL(X, radius=1.0, y_instance=IDS),
        "y_instance was given without y",
    ),
    "instance size": (
        lambda: POTENTIAL(X, radius=1.0, x_instance=IDS[:3]),
        r"x_instance must be a tensor of shape \(4,\), got .*\(3,\)",
    ),
    "instance float": (
        lambda: POTENTIAL(X, radius=1.0, x_instance=IDS.float()),
        "x_instance must hold integers.*float32",
    ),
    "weight size": (
        lambda: POTENTIAL(X, radius=1.0, x_weight=torch.ones(5)),
        r"x_weight must be .*\(4,\), got .*\(5,\)",
    ),
    "ptr end": (
        lambda: POTENTIAL(X, radius=1.0, x_ptr=torch.tensor([0, 3])),
        "x_ptr must run from 0 to 4, got 0 to 3",
    ),
    "ptr order": (
        lambda: POTENTIAL(X, radius=1.0, x_ptr=torch.tensor([0, 3, 2, 4])),
        "x_ptr must not decrease",
    ),
    "ptr counts": (
        lambda: POTENTIAL(X, X, radius=1.0, x_ptr=torch.tensor([0, 2, 4])),
        "x_ptr names 2 graphs but y_ptr names 1",
    ),
    "ptr empty": (
        lambda: POTENTIAL(X, radius=1.0, x_ptr=IDS[:0]),
        r"x_ptr must be a tensor of shape \(B \+ 1,\)",
    ),
    "k": (lambda: ops.knn(X, None, 0), "k must be between 1 and 128, got 0"),
    "k large": (lambda: ops.knn(X, None, 129), "k must be between 1 and 128, got 129"),
    "k float": (lambda: ops.knn(X, None, 2.0), "k must be an integer, got 2.0"),
    "queries columns": (lambda: ops.knn(X, X[:, :1], 2), "queries must have 3 columns"),
    "query_ptr alone": (
        lambda: ops.knn(X, None, 2, query_ptr=torch.tensor([0, 4])),
        "query_ptr was given without queries",
    ),
    "query_ptr end": (
        lambda: ops.radius(X, X, 1.0, query_ptr=torch.tensor([0, 9])),
        "query_ptr must run from 0 to 4, got 0 to 9",
    ),
    "r": (lambda: ops.radius(X, None, float("inf")), "r must be finite.*inf"),
    "max_neighbors": (lambda: ops.radius(X, None, 1.0, max_neighbors=-1), "max_neighbors must be"),
    "count r": (lambda: ops.radius_count(X, X, -2), "r must be finite.* and not negative, got -2"),
    "flow": (lambda: ops.knn_graph(X, 2, flow="up"), "flow must be .*'up'"),
    "batch order": (
        lambda: ops.knn_graph(X, 2, torch.tensor([0, 1, 0, 1])),
        "batch must be sorted",
    ),
    "batch float": (lambda: ops.ptr_from_batch(torch.zeros(3)), "batch must be an integer tensor"),
    "batch negative": (lambda: ops.ptr_from_batch(IDS - 1), "batch must be 0 or more, got -1"),
    "num_graphs": (
        lambda: ops.ptr_from_batch(IDS + 5, num_graphs=2),
        "batch must be 0 or more below num_graphs = 2, got 5",
    ),
    "score size": (lambda: ops.suppress(X, torch.ones(3), 1.0), r"score must be .*\(4,\)"),
    "score nan": (
        lambda: ops.suppress(X, torch.tensor([0.0, torch.nan, 0.0, 0.0]), 1.0),
        "score must not hold NaN, got one in row 1 of 4",
    ),
    "score bool": (lambda: ops.suppress(X, IDS.bool(), 1.0), "score must be real.*bool"),
    "suppress radius": (lambda: ops.suppress(X, torch.ones(4), -1.0), "radius must be .*-1.0"),
    "segment range": (
        lambda: ops.segment_sum(X, IDS + 3, 3),
        r"index must be in 0..2 \(num_segments\), got 3 to 3",
    ),
    "segment noise": (lambda: ops.segment_max(X, IDS - 1, 3), "index must be in 0..2.*got -1"),
    "segment size": (lambda: ops.segment_sum(X, IDS[:2], 3), r"index must be .*\(4,\)"),
    "segment integer mean": (lambda: ops.segment_mean(IDS, IDS, 1), "src must be floating-point"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_message(backend, name):
    call, message = CASES[name]
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_ptr_from_batch_with_empty_graphs():
    batch = torch.tensor([1, 1, 3])
    assert ops.ptr_from_batch(batch).tolist() == [0, 0, 2, 2, 3]
    ptr = ops.ptr_from_batch(batch, num_graphs=6)
    assert ptr.tolist() == [0, 0, 2, 2, 3, 3, 3]
    assert torch.equal(ops.batch_from_ptr(ptr), batch)
    assert ops.ptr_from_batch(batch[:0]).tolist() == [0]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32])
def test_ptr_from_batch_of_a_narrow_type(dtype):
    last = min(torch.iinfo(dtype).max, 300)
    batch = torch.tensor([0, 0, last], dtype=dtype)
    ptr = ops.ptr_from_batch(batch)
    assert ptr.dtype == torch.int64
    assert ptr.tolist() == [0] + [2] * last + [3]


def test_batch_or_ptr_or_neither():
    batch, ptr = torch.tensor([0, 0, 2]), torch.tensor([0, 2, 2, 3])
    assert torch.equal(ops.resolve_ptr(batch, None, 3, batch.device), ptr)
    assert ops.resolve_ptr(None, ptr, 3, batch.device) is ptr
    assert ops.resolve_ptr(None, None, 3, batch.device).tolist() == [0, 3]
    with pytest.raises(InputError, match="batch and ptr were both given; give one of them"):
        ops.resolve_ptr(batch, ptr, 3, batch.device)

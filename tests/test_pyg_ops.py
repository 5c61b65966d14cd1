"""Where the extra [pyg-ops] is installed, its packages and our ops agree."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops

torch_cluster = pytest.importorskip("torch_cluster", reason="the extra [pyg-ops] is not installed")
torch_scatter = pytest.importorskip("torch_scatter", reason="the extra [pyg-ops] is not installed")

BATCH = torch.arange(3).repeat_interleave(torch.tensor([40, 1, 59]))
PTR = torch.tensor([0, 40, 41, 100])


def pairs(row: torch.Tensor, col: torch.Tensor) -> set[tuple[int, int]]:
    return set(zip(row.tolist(), col.tolist(), strict=True))


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_nearest_neighbours(dim: int) -> None:
    x = torch.rand(100, dim)
    row, col = torch_cluster.knn(x, x, 5, BATCH, BATCH)  # itself included
    other = row != col
    index, _ = ops.knn(x, k=4, ptr=PTR)
    ours = torch.arange(100)[:, None].expand_as(index)[index >= 0]
    assert pairs(ours, index[index >= 0]) == pairs(row[other], col[other])


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_neighbours_within_a_radius(dim: int) -> None:
    x, r = torch.rand(100, dim), 0.3 * dim**0.5
    row, col = torch_cluster.radius(x, x, r, BATCH, BATCH, max_num_neighbors=100)
    row_ptr, index = ops.radius(x, x, r, ptr=PTR, query_ptr=PTR)
    ours = torch.arange(100).repeat_interleave(row_ptr.diff())
    assert pairs(ours, index) == pairs(row, col)


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min"])
def test_segments(reduce: str) -> None:
    src, index = torch.randn(50, 3), torch.arange(10).repeat(5)
    ours = getattr(ops, f"segment_{reduce}")(src, index, 10)
    theirs = torch_scatter.scatter(src, index, dim=0, dim_size=10, reduce=reduce)
    torch.testing.assert_close(ours, theirs)

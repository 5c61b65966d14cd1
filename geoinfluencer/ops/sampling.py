"""Farthest-point sampling: a subset that covers a set of points evenly."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks, cuda, library, native, reference
from geoinfluencer.ops.batching import ptr_from_batch


def farthest_point_sampling(
    points: Tensor,  # (N, D)
    count: int | None = None,
    *,
    ratio: float | None = None,
    ptr: Tensor | None = None,  # (B + 1,)
    batch: Tensor | None = None,  # (N,)
    start: Tensor | None = None,  # (B,)
    seed: int | None = None,
) -> Tensor:  # (M,)
    r"""Greedy farthest-point sampling (`Eldar et al., IEEE Trans. Image Process. 6, 1305, 1997`),
    as PointNet++ uses it, exact.

    .. math:: i_{k+1} = \operatorname{argmax}_i \min_{l \le k} |x_i - x_{i_l}|

    per graph; of equally far points the smallest row, and no row twice, also where points coincide.

    Args:
        points: positions; half precision is raised to float32.
        count: samples of each graph; all rows of a smaller one.
        ratio: instead, the share of each graph's rows in (0, 1], rounded up.
        ptr: first row of each graph and the total; or give ``batch``. Neither: one graph.
        batch: graph of each row, ascending.
        start: first sample of each graph, as a row of the whole set. (default: its first row)
        seed: instead, draw the first samples with this seed.

    Shapes:
        points (N, D) -> rows (M,) int64, graph after graph, in the order they were picked.

    Points that are not finite come last, by row. Not differentiable. With several graphs on a GPU
    the sizes of the graphs are copied to the host, because they give M.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit.
    """
    points = checks.check_points("points", points).detach()
    if ptr is not None and batch is not None:
        raise InputError("batch and ptr were both given; give one of them")
    if batch is not None:
        checks.check_vector("batch", batch, points.shape[0], points.device)
        ptr = ptr_from_batch(batch)
    ptr = checks.check_ptr("ptr", ptr, points.device)
    checks.check_ptr_values("ptr", ptr, points.shape[0])
    sizes = [points.shape[0]] if ptr is None else ptr.diff().tolist()
    takes = _takes(sizes, count, ratio)
    start = _starts(sizes, start, seed, points.device)
    index: Tensor = torch.ops.geoinfluencer.farthest_point_sampling(points, ptr, start, takes)
    return index


def _takes(sizes: list[int], count: int | None, ratio: float | None) -> list[int]:
    """Samples of each graph."""
    if (count is None) == (ratio is None):
        raise InputError(f"give either count or ratio, got count={count} and ratio={ratio}")
    if count is not None:
        checks.check_count("count", count, 0)
        return [min(count, size) for size in sizes]
    assert ratio is not None
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 < ratio <= 1:
        raise InputError(f"ratio must be a number in (0, 1], got {checks.describe(ratio)}")
    # 0.07 * 100 is 7.000000000000001: not an eighth sample
    return [min(size, math.ceil(ratio * size * (1 - 1e-12))) for size in sizes]


def _starts(
    sizes: list[int], start: Tensor | None, seed: int | None, device: torch.device
) -> Tensor:
    """First sample (B,) of each graph; of an empty one any row."""
    if start is not None and seed is not None:
        raise InputError("start and seed were both given; give one of them")
    if start is not None:
        start = checks.check_ids("start", start, len(sizes), device)
        assert start is not None
    if start is None and seed is None and len(sizes) == 1:
        return torch.zeros(1, dtype=torch.int64, device=device)  # nothing is copied to a GPU
    size = torch.tensor(sizes)
    first = size.cumsum(0) - size
    if start is None:
        if seed is None:
            return first.to(device)
        rng = torch.Generator().manual_seed(checks.check_count("seed", seed, 0, 2**63 - 1))
        draw = torch.rand(len(sizes), generator=rng, dtype=torch.float64)
        return (first + (draw * size).to(torch.int64)).to(device)
    if device.type == "cpu":
        inside = ((start >= first) & (start < first + size)) | (size == 0)
        if not bool(inside.all()):
            b = int((~inside).nonzero()[0, 0])
            low, high = int(first[b]), int(first[b] + size[b]) - 1
            raise InputError(
                f"start of graph {b} must be a row in {low}..{high}, got {int(start[b])}"
            )
    return start


def _sample(points: Tensor, ptr: Tensor | None, start: Tensor, takes: list[int]) -> Tensor:
    device = points.device
    if len(takes) == 1 and device.type != "cpu":  # made on the device, nothing is copied there
        sample_ptr = torch.arange(2, device=device) * takes[0]
    else:
        sample_ptr = torch.tensor([0, *takes]).cumsum(0).to(device)
    index = _fake(points, ptr, start, takes)
    sets = (native.dense(points), *points.shape, len(takes), native.dense(ptr))
    arguments = (*sets, native.dense(start), sample_ptr)
    if (kernels := native.cpu(points)) is not None:
        native.call(kernels, "geo_fps", points.dtype, *arguments, native.threads(), index)
        return index
    if (kernels := native.cuda(points)) is not None:
        distance = points.new_empty(points.shape[0])
        cuda.call(kernels, "geo_cuda_fps", points, *arguments, distance, index)
        return index
    return reference.farthest_point_sampling(points, ptr, start, sample_ptr)


def _fake(points: Tensor, ptr: Tensor | None, start: Tensor, takes: list[int]) -> Tensor:
    return points.new_empty(sum(takes), dtype=torch.int64)


library.define(
    "farthest_point_sampling(Tensor points, Tensor? ptr, Tensor start, SymInt[] takes) -> Tensor",
    _sample,
    _fake,
)

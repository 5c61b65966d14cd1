"""Properties of the ops over random sizes, dimensions, graphs and hard point sets.

Every example is evaluated by the kernels, by the pure-torch twin in the same precision, and, for
float32, by the twin in float64 on the same float32 numbers: rounding is then the only difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.ops import native

DIMS = (1, 2, 3, 4, 5, 8, 12, 16, 23, 64)
KINDS = ("gauss", "lattice", "far", "farther", "coincident", "duplicates", "denormal")
SPACING = {"far": 1 / 16, "farther": 8.0}  # of float32 numbers at 1e6 and at 1e8
SIZES = st.one_of(st.sampled_from([0, 1, 2, 17]), st.integers(0, 60), st.integers(250, 300))
EXAMPLES = settings(max_examples=120, deadline=None)


@dataclass
class Sets:
    """Two point sets cut into the same number of graphs."""

    x: Tensor  # (N, D)
    y: Tensor  # (M, D)
    x_ptr: Tensor  # (B + 1,)
    y_ptr: Tensor  # (B + 1,)
    kind: str
    radius: float
    rng: torch.Generator

    def double(self) -> tuple[Tensor, Tensor]:
        return self.x.double(), self.y.double()


def make_points(kind: str, size: int, dim: int, dtype: torch.dtype, rng: torch.Generator) -> Tensor:
    """(size, dim), differences about 1; far away about the spacing of float32 numbers there."""
    base = 2 * torch.randn(size, dim, generator=rng, dtype=torch.float64)
    if kind == "lattice":
        base = base.round()
    elif kind == "far":
        base = base + 1e6
    elif kind == "farther":
        base = base * SPACING[kind] + 1e8
    elif kind == "coincident":
        base = torch.full_like(base, 0.3)
    elif kind == "duplicates" and size:
        base = base[torch.randint(0, 1 + size // 4, (size,), generator=rng)]
    elif kind == "denormal":
        base = base * 16 * torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    return base.to(dtype)


@st.composite
def sets(draw: st.DrawFn) -> Sets:
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    kind, dim = draw(st.sampled_from(KINDS)), draw(st.sampled_from(DIMS))
    sizes = draw(st.lists(st.tuples(SIZES, SIZES), max_size=4))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    x_ptr = torch.tensor([0, *(a for a, _ in sizes)]).cumsum(0)
    y_ptr = torch.tensor([0, *(b for _, b in sizes)]).cumsum(0)
    x = make_points(kind, int(x_ptr[-1]), dim, dtype, rng)
    y = make_points(kind, int(y_ptr[-1]), dim, dtype, rng)
    if len(x) and len(y) and draw(st.booleans()):  # the sets share places
        at = torch.randint(0, len(x), (len(y),), generator=rng)
        y = torch.where(torch.rand(len(y), 1, generator=rng) < 0.5, x[at], y)
    scale = {"farther": SPACING["farther"], "denormal": 1e-30}.get(kind, 1.0)
    radius = draw(st.sampled_from([0.0, 0.2, 1.0, 1.5, 4.0])) * scale * math.sqrt(dim)
    radius = float(torch.tensor(radius, dtype=dtype))
    torch.set_num_threads(draw(st.sampled_from([1, 2, 3])))
    return Sets(x, y, x_ptr, y_ptr, kind, radius, rng)


def slack(s: Sets) -> float:
    """How far rounding moves a distance, as a share of it."""
    return (s.x.shape[1] + 16) * torch.finfo(s.x.dtype).eps


def evaluate(x: Tensor, y: Tensor | None, weights: Tensor, **options) -> list[Tensor]:
    """Energy, active, and the gradients of a weighted sum of the graphs' energies."""
    leaves = [t.detach().clone().requires_grad_() for t in (x, y) if t is not None]
    energy, active = ops.influence_potential(leaves[0], *leaves[1:], **options)
    (energy * weights.to(energy)).sum().backward()
    return [energy.detach(), active, *(leaf.grad for leaf in leaves)]


@EXAMPLES
@given(
    sets(), st.booleans(), st.booleans(), st.sampled_from(["", "x", "xy"]), st.sampled_from([1, 2])
)
def test_potential(s: Sets, symmetric: bool, masked: bool, weighted: str, power: int) -> None:
    options = {"radius": s.radius, "power": power, "x_ptr": s.x_ptr}
    for name, points in (("x", s.x),) if symmetric else (("x", s.x), ("y", s.y)):
        options[f"{name}_ptr"] = s.x_ptr if name == "x" else s.y_ptr
        if masked:
            options[f"{name}_instance"] = torch.randint(-1, 5, (len(points),), generator=s.rng)
        if name in weighted:
            weight = torch.randint(0, 4, (len(points),), generator=s.rng) / 2
            options[f"{name}_weight"] = weight.to(s.x.dtype)
    factor = torch.arange(1, len(s.x_ptr))
    y = None if symmetric else s.y
    fast = evaluate(s.x, y, factor, **options)
    x64, y64 = s.double()
    with native.forced_off():
        oracles = [evaluate(s.x, y, factor, **options)]
        wide = {k: v.double() if k.endswith("weight") else v for k, v in options.items()}
        if s.kind != "denormal":  # their squares are zero in float32 and not in float64
            oracles.append(evaluate(x64, None if symmetric else y64, factor, **wide))
        less, more = (
            ops.influence_potential(x64, None if symmetric else y64, **wide | {"radius": r})[1]
            for r in (s.radius * (1 - slack(s)), s.radius * (1 + slack(s)))
        )
        ptrs = [(x64, s.x_ptr)] * 2 if symmetric else [(x64, s.x_ptr), (y64, s.y_ptr)]
        met = [  # (N,) and (M,): the points that a row may meet
            ops.radius_count(b, a, s.radius * (1 + slack(s)), ptr=b_ptr, query_ptr=a_ptr)
            for (a, a_ptr), (b, b_ptr) in (ptrs, ptrs[::-1])
        ]
    # A pair within rounding of the radius may count or not: no energy, but a slope at power 1.
    assert s.kind == "denormal" or bool(((less <= fast[1]) & (fast[1] <= more)).all())
    edge = 2.25 * float(((more - less) * factor).sum()) if power == 1 else 0.0
    force = 2.25 * len(factor) * power * s.radius ** (power - 1)  # of the heaviest pair
    for energy, _, *gradients in oracles:
        loose = 4 * slack(s) * (energy.double().abs() + 2.25 * more * s.radius**power)
        assert bool(((fast[0].double() - energy.double()).abs() <= loose).all())
        for got, want, number in zip(fast[2:], gradients, met, strict=False):
            error = (got.double() - want.double()).abs().amax(1)
            assert bool((error <= 4 * slack(s) * force * number + edge).all())


@EXAMPLES
@given(sets(), st.booleans(), st.integers(1, 128))
def test_knn(s: Sets, self_query: bool, k: int) -> None:
    queries = None if self_query else s.y
    options = {"ptr": s.x_ptr} | ({} if self_query else {"query_ptr": s.y_ptr})
    index, dist2 = ops.knn(s.x, queries, k, **options)
    with native.forced_off():
        same = ops.knn(s.x, queries, k, **options)
        x64, y64 = s.double()
        wide, wide2 = ops.knn(x64, None if self_query else y64, k, **options)
    assert torch.equal(index, same[0]) and torch.equal(dist2, same[1])
    if s.kind == "denormal":
        return
    there = wide >= 0
    assert torch.equal(there, index >= 0)
    # Rounding may exchange neighbours, but not make the i-th nearest another distance.
    own = (x64 if self_query else y64)[:, None].expand(-1, k, -1)[there]
    exact = (own - x64[index[there]]).square().sum(-1)
    torch.testing.assert_close(exact, wide2[there], rtol=4 * slack(s), atol=0)
    torch.testing.assert_close(dist2[there].double(), exact, rtol=2 * slack(s), atol=0)


@EXAMPLES
@given(sets(), st.booleans(), st.sampled_from([None, 0, 1, 7, 1000]))
def test_radius(s: Sets, self_query: bool, limit: int | None) -> None:
    queries = None if self_query else s.y
    options = {"ptr": s.x_ptr} | ({} if self_query else {"query_ptr": s.y_ptr})
    row_ptr, index = ops.radius(s.x, queries, s.radius, max_neighbors=limit, **options)
    count = ops.radius_count(s.x, queries, s.radius, **options)
    with native.forced_off():
        same = ops.radius(s.x, queries, s.radius, max_neighbors=limit, **options)
        x64, y64 = s.double()
        least, most = (
            ops.radius_count(x64, None if self_query else y64, r, **options)
            for r in (s.radius * (1 - slack(s)), s.radius * (1 + slack(s)))
        )
    assert torch.equal(row_ptr, same[0]) and torch.equal(index, same[1])
    assert torch.equal(row_ptr.diff(), count if limit is None else count.clamp_max(limit))
    assert s.kind == "denormal" or bool(((least <= count) & (count <= most)).all())


@EXAMPLES
@given(sets(), st.integers(1, 50))
def test_suppress(s: Sets, levels: int) -> None:
    score = torch.randint(0, levels, (len(s.x),), generator=s.rng)
    keep = ops.suppress(s.x, score, s.radius, ptr=s.x_ptr)
    with native.forced_off():
        assert torch.equal(keep, ops.suppress(s.x, score, s.radius, ptr=s.x_ptr))
    # No two kept ones are near, and every dropped one has a kept one near.
    near_kept = ops.radius_count(
        s.x[keep], s.x, s.radius, ptr=torch.searchsorted(keep.nonzero()[:, 0], s.x_ptr),
        query_ptr=s.x_ptr,
    )  # fmt: skip
    assert bool((near_kept[keep] == 1).all()) and bool((near_kept[~keep] >= 1).all())


def views(points: Tensor) -> dict[str, Tensor]:
    """The same numbers, laid out otherwise."""
    size, dim = points.shape
    wide = torch.full((2 * size, 3 * dim), torch.nan, dtype=points.dtype)
    wide[::2, 1::3] = points
    return {"transposed": points.t().contiguous().t(), "strided": wide[::2, 1::3]}


@EXAMPLES
@given(sets())
def test_layout_does_not_matter(s: Sets) -> None:
    if s.x.shape[0] == 0:
        return
    leaf = s.x.clone().requires_grad_()
    energy, _ = ops.influence_potential(leaf, radius=s.radius, x_ptr=s.x_ptr)
    energy.sum().backward()
    index, dist2 = ops.knn(s.x, None, 5, ptr=s.x_ptr)
    for name, view in views(s.x).items():
        other = view.detach().requires_grad_()
        again, _ = ops.influence_potential(other, radius=s.radius, x_ptr=s.x_ptr)
        again.sum().backward()
        assert torch.equal(again, energy) and torch.equal(other.grad, leaf.grad), name
        found = ops.knn(view, None, 5, ptr=s.x_ptr)
        assert torch.equal(found[0], index) and torch.equal(found[1], dist2), name
        count = ops.radius_count(view, s.x, s.radius, ptr=s.x_ptr, query_ptr=s.x_ptr)
        assert torch.equal(count, ops.radius_count(s.x, s.x, s.radius, ptr=s.x_ptr,
                                                   query_ptr=s.x_ptr)), name  # fmt: skip
        score = view[:, 0].nan_to_num()
        keep = ops.suppress(view, score, s.radius, ptr=s.x_ptr)
        assert torch.equal(keep, ops.suppress(s.x, s.x[:, 0], s.radius, ptr=s.x_ptr)), name


@pytest.mark.parametrize("dim", [1, 3, 8])
def test_expanded_point(dim: int) -> None:
    """One point seen N times: all strides are zero, and the gradient sums over the copies."""
    point = torch.arange(1.0, dim + 1).requires_grad_()
    copies = point.expand(40, dim)
    energy, active = ops.influence_potential(copies, point.detach()[None] + 0.1, radius=1.0)
    energy.sum().backward()
    alone = point.detach().clone().requires_grad_()
    ops.influence_potential(alone[None], alone.detach()[None] + 0.1, radius=1.0)[0].sum().backward()
    assert active.item() == 40
    torch.testing.assert_close(point.grad, 40 * alone.grad)
    assert ops.radius_count(copies.detach(), None, 0.0).tolist() == [39] * 40
    assert ops.suppress(copies.detach(), torch.zeros(1).expand(40), 0.0).sum() == 1

"""The potential where instances lie close together, which the kernels take up bundle by bundle."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.ops import native

ROWS = 2400  # of the larger set: enough for bundles
MORE = 6000  # and for a tree of representatives with inner boxes


@dataclass
class Sets:
    """Points of instances and some representatives."""

    x: Tensor  # (N, D)
    x_ids: Tensor  # (N,)
    y: Tensor  # (M, D)
    y_ids: Tensor  # (M,)


def instances(
    rng: torch.Generator,
    dim: int,
    *,
    rows: int = ROWS,
    members: int = 10,
    side: float = 6.0,
    sigma: float = 0.1,
    dtype: torch.dtype = torch.float32,
) -> Sets:
    """Shuffled Gaussian instances in a box, and one member of each as its representative."""
    count = -(-rows // members)
    ids = torch.arange(count).repeat_interleave(members)[:rows]
    centres = side * torch.rand(count, dim, generator=rng, dtype=torch.float64)
    x = centres[ids] + sigma * torch.randn(rows, dim, generator=rng, dtype=torch.float64)
    y, y_ids = x[::members].clone(), ids[::members].clone()
    order = torch.randperm(rows, generator=rng)
    return Sets(x[order].to(dtype), ids[order], y.to(dtype), y_ids)


def evaluate(s: Sets, *, radius: float = 1.0, swapped: bool = False, **options) -> list[Tensor]:
    """Energy, active and both gradients, those of the larger set first."""
    x, y = (t.detach().clone().requires_grad_() for t in (s.x, s.y))
    sets = (y, x) if swapped else (x, y)
    ids = (s.y_ids, s.x_ids) if swapped else (s.x_ids, s.y_ids)
    energy, active = ops.influence_potential(
        *sets, radius=radius, x_instance=ids[0], y_instance=ids[1], **options
    )
    energy.sum().backward()
    return [energy.detach(), active, x.grad, y.grad]


def same_as_twin(s: Sets, *, tolerance: float = 3e-6, **options) -> int:
    """Asserts it; returns the number of active pairs."""
    fast = evaluate(s, **options)
    with native.forced_off():
        slow = evaluate(s, **options)
    assert torch.equal(fast[1], slow[1])
    torch.testing.assert_close(fast[0], slow[0], rtol=1e-5, atol=0, equal_nan=True)
    for a, b in zip(fast[2:], slow[2:], strict=True):
        assert torch.equal(a.isnan(), b.isnan())
        worst = (a - b).nan_to_num().abs().max()
        assert worst <= tolerance * max(1.0, float(b.nan_to_num().abs().max()))
    return int(fast[1].sum())


pytestmark = pytest.mark.usefixtures("needs_native")


@pytest.mark.parametrize("dim", [1, 2, 3, 5, 8, 16, 20, 64])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("power", [1, 2])
def test_equals_twin(rng, dim, dtype, power):
    side = {1: 300.0, 2: 30.0, 3: 8.0, 5: 4.0, 8: 2.2, 16: 1.2, 20: 1.0, 64: 0.35}[dim]
    s = instances(rng, dim, side=side, sigma=0.1 if dim < 16 else 0.02, dtype=dtype)
    assert same_as_twin(s, power=power) > 0
    assert same_as_twin(s, power=power, swapped=True) > 0


@pytest.mark.parametrize("dim", [5, 7, 8, 12, 16])
@pytest.mark.parametrize("apart", [0.0, 2.0])
def test_a_tree_of_several_levels(rng, dim, apart):
    """In one place, where inner boxes overlap, and in nine, most of which are out of reach."""
    side = {5: 5.5, 7: 3.2, 8: 2.8, 12: 2.0, 16: 1.6}[dim]
    s = instances(rng, dim, rows=4 * MORE, members=8, side=side, sigma=0.05)
    far = torch.zeros(len(s.y), dim)
    far[:, :2] = torch.randint(3, (len(s.y), 2), generator=rng) * apart * side
    s.x, s.y = s.x + far[s.x_ids], s.y + far
    assert same_as_twin(s) > 0
    assert same_as_twin(s, swapped=True) > 0


@pytest.mark.parametrize("dim", [3, 8, 12])
@pytest.mark.parametrize("scale", [1e-15, 1e-18, 1e-22])
def test_radii_whose_squares_have_few_digits(rng, dim, scale):
    s = instances(rng, dim, side={3: 8.0, 8: 2.2, 12: 1.7}[dim], dtype=torch.float64)
    s.x, s.y = (s.x * scale).float(), (s.y * scale).float()
    fast = evaluate(s, radius=scale)
    with native.forced_off():
        slow = evaluate(s, radius=scale)
    assert torch.equal(fast[1], slow[1])
    assert int(slow[1]) > 0


@pytest.mark.parametrize("members", [1, 3, 4, 6, 16, 17, 33, 240])
def test_sizes_of_instances(rng, members):
    assert same_as_twin(instances(rng, 3, members=members, side=8.0)) > 0


def test_points_in_no_bundle(rng):
    """Without an id, torn apart, of too few points, of weight 0: mixed with close instances."""
    s = instances(rng, 4, side=8.0)
    s.x_ids[torch.rand(ROWS, generator=rng) < 0.2] = -1
    s.y_ids[::7] = -1
    torn = s.x_ids % 5 == 0
    s.x[torn] = 8.0 * torch.rand(int(torn.sum()), 4, generator=rng)
    assert same_as_twin(s) > 0
    x_weight = torch.randint(0, 4, (ROWS,), generator=rng) / 2
    y_weight = torch.rand(len(s.y), generator=rng)
    assert same_as_twin(s, x_weight=x_weight) > 0
    assert same_as_twin(s, x_weight=x_weight, y_weight=y_weight) > 0
    assert same_as_twin(s, y_weight=torch.zeros(len(s.y))) == 0


def test_coincident_points(rng):
    """Instances on a single point each, where representatives of others lie too."""
    s = instances(rng, 3, side=8.0, sigma=0.0)
    s.y[1::2] = s.y[::2][: len(s.y[1::2])]
    assert same_as_twin(s) > 0
    assert same_as_twin(s, swapped=True, power=1) > 0


def test_far_from_the_origin(rng):
    """Coordinates near 1e6 are multiples of 1/16: boxes must not lose a pair to rounding."""
    s = instances(rng, 3, side=8.0)
    for part in (s.x, s.y):
        part += 1e6
    assert same_as_twin(s, radius=1.0) > 0


@pytest.mark.parametrize("dim", [5, 7, 8, 9, 16, 64])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("share", [0.02, 0.5])
@pytest.mark.parametrize("rows", [ROWS, MORE])
def test_instances_far_away(rng, dim, dtype, share, rows):
    """From five dimensions on, coarse coordinates reach some hundred radii: what lies beyond is
    clamped if it is little, and else they are not used."""
    side = {5: 4.0, 7: 2.6, 8: 2.2, 9: 2.0, 16: 1.2, 64: 0.35}[dim]
    s = instances(
        rng, dim, rows=rows, side=side, sigma=0.1 if dim < 16 else 0.02, dtype=torch.float64
    )
    far = torch.rand(rows // 10, generator=rng) < share
    shift = torch.zeros(rows // 10, dim, dtype=torch.float64)
    shift[far] = torch.tensor([-3e4, 200.0, 1e6], dtype=torch.float64)[
        torch.randint(3, (int(far.sum()), dim), generator=rng)
    ]
    s.x, s.y = (s.x + shift[s.x_ids]).to(dtype), (s.y + shift[s.y_ids]).to(dtype)
    assert same_as_twin(s) > 0
    assert same_as_twin(s, swapped=True) > 0


@pytest.mark.parametrize("dim", [5, 8, 11])
@pytest.mark.parametrize("offset", [1e3, 1e6, -1e6])
@pytest.mark.parametrize("rows", [ROWS, MORE])
def test_far_from_the_origin_in_many_dimensions(rng, dim, offset, rows):
    s = instances(rng, dim, rows=rows, side={5: 4.0, 8: 2.2, 11: 1.7}[dim])
    for part in (s.x, s.y):
        part += offset
    assert same_as_twin(s, tolerance=1e-5) > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-15, 1e-6, 1e6, 1e15])
@pytest.mark.parametrize("rows", [ROWS, MORE])
def test_tiny_and_huge_radius(rng, dtype, scale, rows):
    s = instances(rng, 8, rows=rows, side=2.2, dtype=torch.float64)
    s.x, s.y = (s.x * scale).to(dtype), (s.y * scale).to(dtype)
    assert same_as_twin(s, radius=scale, tolerance=3e-6 * max(1.0, scale)) > 0


@pytest.mark.parametrize("dim", [3, 8])
@pytest.mark.parametrize(
    ("dtype", "radius"),
    [(torch.float32, 2e18), (torch.float32, 2e19), (torch.float32, 1e25), (torch.float64, 2e154)],
)
def test_radius_too_large_to_square(rng, dim, dtype, radius):
    s = instances(rng, dim, side=8.0, dtype=torch.float64)
    s.x, s.y = (s.x * radius).to(dtype), (s.y * radius).to(dtype)
    active = evaluate(s, radius=radius, power=1)[1]
    with native.forced_off():
        assert torch.equal(active, evaluate(s, radius=radius, power=1)[1])


@pytest.mark.parametrize("radius", [0.0, 1e-44, 1e-38, 1e-30])
def test_radius_too_small_to_divide_by(rng, radius):
    """Instances on single points, of which some share theirs with representatives of others."""
    s = instances(rng, 8, sigma=0.0)
    s.y[1::2] = s.y[::2][: len(s.y[1::2])]
    assert same_as_twin(s, radius=radius) >= 0


@pytest.mark.parametrize("rows", [2060, MORE])
@pytest.mark.parametrize("sigma", [0.05, 0.0])
def test_pairs_just_within_reach(rng, rows, sigma):
    """Each representative just within the radius of the farthest member of another instance, seen
    from its centre (or along an axis): no coarse test may lose it."""
    s = instances(rng, 8, rows=rows, side=40.0, sigma=sigma, dtype=torch.float64)
    order = s.x_ids.argsort()
    members = s.x[order].view(-1, 10, 8)
    centre = (members.amin(1) + members.amax(1)) / 2
    away = members - centre[:, None]
    far = away[torch.arange(len(away)), away.norm(dim=2).argmax(1)]
    axis = torch.eye(8, dtype=torch.float64)[torch.randint(8, (len(far),), generator=rng)]
    direction = torch.nn.functional.normalize(far if sigma else axis)
    s.y, s.y_ids = centre + far + (1 - 1e-4) * direction, s.y_ids.roll(1)
    for dtype in (torch.float32, torch.float64):
        shell = Sets(s.x.to(dtype), s.x_ids, s.y.to(dtype), s.y_ids)
        active = evaluate(shell)[1]  # energies are next to nothing
        with native.forced_off():
            assert torch.equal(active, evaluate(shell)[1])
        assert int(active) >= len(s.y)


def test_points_that_are_not_finite(rng):
    s = instances(rng, 3, side=8.0)
    s.x[5, 1], s.x[77, 0] = torch.nan, torch.inf
    fast = evaluate(s)
    assert bool(fast[0].isnan().all())
    assert fast[2].isnan().all(1).nonzero().flatten().tolist() == [5, 77]


@pytest.mark.parametrize("dim", [3, 8])
def test_graphs(rng, dim):
    """Ids start anew in every graph; one graph is small, one has no representatives."""
    side = {3: 8.0, 8: 2.2}[dim]
    parts = [instances(rng, dim, rows=n, side=side) for n in (ROWS, 50, 3000, ROWS)]
    parts[2].y, parts[2].y_ids = parts[2].y[:0], parts[2].y_ids[:0]
    s = Sets(*(torch.cat([getattr(p, f) for p in parts]) for f in ("x", "x_ids", "y", "y_ids")))
    ptr = {
        f"{name}_ptr": torch.tensor([0, *(len(getattr(p, name)) for p in parts)]).cumsum(0)
        for name in ("x", "y")
    }
    assert same_as_twin(s, **ptr) > 0


def test_ids_far_apart(rng):
    s = instances(rng, 3, side=8.0)
    s.x_ids, s.y_ids = s.x_ids * 1000 + 7, s.y_ids * 1000 + 7
    assert same_as_twin(s) > 0


def test_more_in_reach_than_a_list_holds(rng):
    """Half of the representatives in one place: few bundles meet hundreds of them."""
    s = instances(rng, 8, rows=24_000, side=6.0)
    s.y[:600] = s.y[0] + 0.05 * torch.randn(600, 8, generator=rng)
    assert same_as_twin(s, tolerance=3e-5) > 0


@pytest.mark.parametrize("dim", [3, 8])
def test_deterministic_and_alike_on_any_threads(rng, dim):
    s = instances(rng, dim, rows=40_000, side={3: 25.0, 8: 3.0}[dim])
    torch.set_num_threads(1)
    one = evaluate(s)
    for threads in (1, 2, 3, 5):
        torch.set_num_threads(threads)
        first, second = evaluate(s), evaluate(s)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
        assert torch.equal(one[1], first[1])
        torch.testing.assert_close(one[0], first[0], rtol=1e-6, atol=0)  # docs/kernels.md
        for a, b in zip(one[2:], first[2:], strict=True):
            assert (a - b).abs().max() <= 1e-5 * a.abs().max()


def test_value_only(rng):
    s = instances(rng, 8, side=2.2)
    energy = evaluate(s)[0]
    alone, _ = ops.influence_potential(s.x, s.y, radius=1.0, x_instance=s.x_ids, y_instance=s.y_ids)
    assert torch.equal(alone, energy)

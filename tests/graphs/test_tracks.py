import numpy as np
import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.graphs import TRACK_EDGE_FEATURES, TRACK_NODE_FEATURES, TrackGraph
from geoinfluencer.graphs.doublets import find_doublets, helix_through_origin
from geoinfluencer.graphs.surfaces import surface_successions
from geoinfluencer.graphs.tracks import rings
from geoinfluencer.graphs.triplets import find_continuations

RADII = np.array([32.0, 72.0, 116.0, 172.0])


def helix_points(curvature: float, phi0: float, cot_theta: float, z0: float) -> np.ndarray:
    """Exact crossings of a helix from the beam axis with the barrel layers."""
    turn = np.arcsin(curvature * RADII / 2)
    phi = phi0 + turn
    arc = 2 / curvature * turn
    return np.stack([RADII * np.cos(phi), RADII * np.sin(phi), z0 + cot_theta * arc], axis=1)


def event(num_tracks: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    tracks = [
        helix_points(
            rng.choice([-1, 1]) * rng.uniform(1e-5, 6e-4),
            rng.uniform(-np.pi, np.pi),
            rng.uniform(-1.5, 1.5),
            rng.uniform(-100, 100),
        )
        for _ in range(num_tracks)
    ]
    pos = np.concatenate(tracks).astype(np.float32)
    surface = np.tile(np.arange(4), num_tracks)
    return pos, surface, np.repeat(np.arange(num_tracks), 4)


@pytest.mark.parametrize("curvature", [4e-4, -4e-4, 1e-7])
def test_helix_parameters_are_recovered_exactly(curvature: float) -> None:
    pos = helix_points(curvature, 0.7, 0.9, -35.0)
    helix = helix_through_origin(pos, np.array([[0, 0, 1], [1, 3, 2]]))
    np.testing.assert_allclose(helix.curvature, curvature, atol=1e-9)
    np.testing.assert_allclose(helix.cot_theta, 0.9, rtol=1e-6)
    np.testing.assert_allclose(helix.z0, -35.0, rtol=1e-5)
    np.testing.assert_allclose(helix.phi0, 0.7, atol=1e-6)


def test_doublets_are_all_pairs_that_pass_the_cuts() -> None:
    pos, surface, _ = event()
    successions = surface_successions(np.hypot(pos[:, 0], pos[:, 1]), pos[:, 2], surface)
    found = find_doublets(pos, surface, successions, curvature_max=7e-4, z0_max=120.0)
    i, j = np.meshgrid(np.arange(len(pos)), np.arange(len(pos)), indexing="ij")
    pairs = np.stack([i.ravel(), j.ravel()])
    allowed = np.zeros((4, 4), bool)
    allowed[tuple(np.array(successions).T)] = True
    pairs = pairs[:, allowed[surface[pairs[0]], surface[pairs[1]]]]
    phi = np.arctan2(pos[:, 1], pos[:, 0])
    # beyond a quarter turn the circle would have to come back to the outer hit
    pairs = pairs[:, np.cos(phi[pairs[1]] - phi[pairs[0]]) > 0]
    helix = helix_through_origin(pos, pairs)
    pairs = pairs[:, (np.abs(helix.curvature) <= 7e-4) & (np.abs(helix.z0) <= 120.0)]
    assert set(map(tuple, found.T.tolist())) == set(map(tuple, pairs.T.tolist()))
    assert found.shape[1] == pairs.shape[1] > 0


def test_doublets_reach_across_the_cut_at_pi() -> None:
    pos = helix_points(5e-4, np.pi - 0.01, 0.2, 0.0)
    assert np.sign(pos[0, 1]) != np.sign(pos[3, 1])
    data = TrackGraph()(pos, np.arange(4))
    assert {(0, 1), (1, 2), (2, 3)} <= set(map(tuple, data.edge_index.T.tolist()))


def test_surfaces_follow_one_another_with_skips() -> None:
    r = np.repeat([30.0, 70.0, 110.0, 150.0], 50)
    z = np.tile(np.linspace(-500, 500, 50), 4)
    surface = np.repeat(np.arange(4), 50)
    assert surface_successions(r, z, surface, max_skip=0) == [(0, 1), (1, 2), (2, 3)]
    assert (0, 2) in surface_successions(r, z, surface, max_skip=1)
    assert (0, 3) not in surface_successions(r, z, surface, max_skip=1)


def test_discs_follow_the_barrel_and_never_lead_back() -> None:
    rng = np.random.default_rng(0)
    r = np.concatenate([np.full(200, 30.0), rng.uniform(30, 170, 200), rng.uniform(30, 170, 200)])
    z = np.concatenate([rng.uniform(-500, 500, 200), np.full(200, 600.0), np.full(200, 700.0)])
    pairs = surface_successions(r, z, np.repeat([0, 1, 2], 200))
    assert (0, 1) in pairs and (1, 2) in pairs
    assert (1, 0) not in pairs and (2, 1) not in pairs


def test_continuations_equal_a_double_loop() -> None:
    rng = np.random.default_rng(3)
    inner, outer = rng.integers(0, 12, 80), rng.integers(0, 12, 80)
    curvature, eta = rng.normal(0, 1e-4, 80), rng.normal(0, 0.01, 80)
    for chunk in (1, 7, 10_000):
        found = find_continuations(
            np.stack([inner, outer]), curvature, eta, 12,
            curvature_tolerance=1e-4, eta_tolerance=0.01, chunk=chunk,
        )  # fmt: skip
        for e in range(80):
            for side, partners in enumerate((inner == outer[e], outer == inner[e])):
                mismatch = np.hypot((curvature - curvature[e]) / 1e-4, (eta - eta[e]) / 0.01)
                good = np.flatnonzero(partners & (mismatch < 1))
                assert found.count[e, side] == len(good)
                if len(good):
                    best = good[np.argmin(mismatch[good])]
                    assert found.distance[e, side] == pytest.approx(mismatch[best], abs=1e-6)
                    step = curvature[best] - curvature[e]
                    assert found.delta[e, 2 * side] == pytest.approx(step, abs=1e-9)


def test_graph_holds_every_true_doublet_and_every_hit() -> None:
    pos, surface, track = event()
    lonely = np.array([[50.0, 0.0, 900.0]], np.float32)  # passes no cut with any other hit
    data = TrackGraph()(np.concatenate([pos, lonely]), np.append(surface, 1))
    assert data.num_nodes == len(pos) + 1
    assert data.x.shape == (len(pos) + 1, len(TRACK_NODE_FEATURES))
    assert data.edge_attr.shape == (data.edge_index.shape[1], len(TRACK_EDGE_FEATURES))
    edges = set(map(tuple, data.edge_index.T.tolist()))
    for first in range(0, len(pos), 4):
        for step in range(3):
            assert (first + step, first + step + 1) in edges
    assert track.shape == (len(pos),)


def test_confirmation_drops_only_doublets_without_a_third_hit() -> None:
    pos, surface, _ = event()
    everything = TrackGraph(confirm=False)(pos, surface)
    confirmed = TrackGraph(confirm=True)(pos, surface)
    linked = everything.edge_attr[:, TRACK_EDGE_FEATURES.index("log_out")] > 0
    linked |= everything.edge_attr[:, TRACK_EDGE_FEATURES.index("log_in")] > 0
    assert confirmed.edge_index.shape[1] < everything.edge_index.shape[1]
    assert torch.equal(confirmed.edge_index, everything.edge_index[:, linked])


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("size", [0, 1, 2])
def test_tiny_events_have_no_edges(dim: int, size: int) -> None:
    pos = np.random.default_rng(0).normal(0, 50, (size, dim))
    data = TrackGraph()(pos)
    assert data.num_nodes == size and data.edge_index.shape == (2, 0)


def test_rings_stand_in_for_missing_surface_numbers() -> None:
    pos, surface, _ = event()
    assert np.array_equal(rings(np.hypot(pos[:, 0], pos[:, 1])), surface)
    with_numbers, without = TrackGraph()(pos, surface), TrackGraph()(pos)
    assert torch.equal(with_numbers.edge_index, without.edge_index)


@pytest.mark.parametrize("pos", [np.zeros((3, 4)), np.zeros(3), np.array([[1.0, np.nan]])])
def test_bad_positions_are_named(pos: np.ndarray) -> None:
    with pytest.raises(InputError, match="`pos`"):
        TrackGraph()(pos)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"curvature_max": None}, "curvature_max must be a positive number, got null"),
        ({"z0_max": float("inf")}, "z0_max must be a positive number, got inf"),
        ({"eta_tolerance": 0.0}, "eta_tolerance must be a positive number, got 0.0"),
        ({"max_skip": 0.5}, "max_skip must be a whole number of at least 0, got 0.5"),
        ({"confirm": "no"}, "confirm must be true or false, got 'no'"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        TrackGraph(**options)

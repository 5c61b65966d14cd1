"""Symmetries of track graphs against graphs of transformed hits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from geoinfluencer.graphs.track_augment import augmented_tracks, transform_tracks
from geoinfluencer.graphs.tracks import TrackGraph


def hits() -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) crossings of 40 helices from the beam axis with four layers, and their layers."""
    rng = np.random.default_rng(0)
    curvature, phi0, cot_theta, z0 = rng.uniform(
        [-6e-4, -np.pi, -1.5, -50], [6e-4, np.pi, 1.5, 50], (40, 4)
    ).T[..., None]
    radii = np.array([32.0, 72.0, 116.0, 172.0])
    turn = np.arcsin(curvature * radii / 2)
    phi, z = phi0 + turn, z0 + cot_theta * 2 / curvature * turn
    pos = np.stack([radii * np.cos(phi), radii * np.sin(phi), z], axis=2)
    return pos.reshape(-1, 3), np.tile(np.arange(4), 40)


@pytest.mark.parametrize("mirror_phi", [False, True])
@pytest.mark.parametrize("mirror_z", [False, True])
def test_transforming_the_graph_is_building_it_from_transformed_hits(
    mirror_phi: bool, mirror_z: bool
) -> None:
    pos, surface = hits()
    graph = transform_tracks(
        TrackGraph()(pos, surface), angle=0.3, mirror_phi=mirror_phi, mirror_z=mirror_z
    )
    built = TrackGraph()(graph.pos.numpy(), surface)
    order, other = (np.lexsort(d.edge_index.numpy()) for d in (graph, built))
    assert torch.equal(graph.edge_index[:, order], built.edge_index[:, other])
    torch.testing.assert_close(graph.x, built.x, atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(graph.edge_attr[order], built.edge_attr[other], atol=2e-2, rtol=1e-3)


def test_random_symmetries_follow_their_switches_and_generator() -> None:
    pos, surface = hits()
    data = TrackGraph()(pos, surface)
    off = {"rotate": False, "mirror_z": False, "mirror_phi": False}
    assert torch.equal(augmented_tracks(data, np.random.default_rng(0), **off).pos, data.pos)
    turned = [
        augmented_tracks(data, np.random.default_rng(i), **off | {"rotate": True})
        for i in (0, 0, 1)
    ]
    assert torch.equal(turned[0].pos, turned[1].pos)
    assert not torch.allclose(turned[0].pos, turned[2].pos)
    radius = [sample.pos[:, :2].norm(dim=1) for sample in (data, turned[0])]
    torch.testing.assert_close(radius[0], radius[1])
    z = {
        float(
            augmented_tracks(data, np.random.default_rng(i), **off | {"mirror_z": True}).pos[0, 2]
        )
        for i in range(20)
    }
    assert z == {float(data.pos[0, 2]), -float(data.pos[0, 2])}

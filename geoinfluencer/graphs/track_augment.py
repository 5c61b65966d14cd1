"""Symmetries of a built track graph, without building it again."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.graphs.tracks import TRACK_EDGE_FEATURES, TRACK_NODE_FEATURES, node_features

_NUM_GEOMETRIC = len(TRACK_NODE_FEATURES) - 2  # the last two are degrees, which no symmetry changes
_ODD_IN_PHI = [
    TRACK_EDGE_FEATURES.index(f) for f in ("curvature", "dcurvature_out", "dcurvature_in")
]
_ODD_IN_Z = [TRACK_EDGE_FEATURES.index(f) for f in ("eta", "z0", "dz", "deta_out", "deta_in")]


def transform_tracks(
    data: Data, *, angle: float = 0.0, mirror_phi: bool = False, mirror_z: bool = False
) -> Data:
    """A copy of a track graph turned about the beam and mirrored.

    A solenoid's events keep their law under rotation about z, under z -> -z, and under y -> -y
    (which swaps the charges). Doublets are the same ones afterwards; their curvature changes sign
    with y, their pseudorapidity and z0 with z.

    Args:
        data: A sample of :class:`~geoinfluencer.graphs.tracks.TrackGraph`.
        angle: Rotation about z [rad].
        mirror_phi: y -> -y, before the rotation.
        mirror_z: z -> -z.
    """
    out = data.clone()
    x, y = data.pos[:, 0], -data.pos[:, 1] if mirror_phi else data.pos[:, 1]
    cos, sin = math.cos(angle), math.sin(angle)
    columns = [cos * x - sin * y, sin * x + cos * y]
    if data.pos.shape[1] == 3:
        columns.append(-data.pos[:, 2] if mirror_z else data.pos[:, 2])
    out.pos = torch.stack(columns, dim=1)
    geometric = node_features(out.pos.numpy())
    out.x = torch.cat([torch.from_numpy(geometric), data.x[:, _NUM_GEOMETRIC:]], dim=1)
    if mirror_phi:
        out.edge_attr[:, _ODD_IN_PHI] *= -1
    if mirror_z:
        out.edge_attr[:, _ODD_IN_Z] *= -1
        if data.get("eta") is not None:
            out.eta = -data.eta
    return out


def augmented_tracks(
    sample: Data, rng: np.random.Generator, *, rotate: bool, mirror_z: bool, mirror_phi: bool
) -> Data:
    """The sample under a random one of the symmetries of :func:`transform_tracks`."""
    return transform_tracks(
        sample,
        angle=rng.uniform(-math.pi, math.pi) if rotate else 0.0,
        mirror_z=bool(mirror_z and rng.random() < 0.5),
        mirror_phi=bool(mirror_phi and rng.random() < 0.5),
    )

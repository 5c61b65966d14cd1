"""From the hits of an event to one graph sample: what toy events and TrackML share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.errors import InputError

GraphBuilder = Callable[[np.ndarray, np.ndarray | None, np.ndarray | None], Data]


@dataclass(frozen=True)
class Window:
    """Which particles count: they are scored, and weigh fully in the loss. Hits are never removed.

    Attributes:
        pt_min: Least transverse momentum in GeV.
        eta_max: Largest absolute pseudorapidity.
        min_hits: Least number of hits, counted from the truth of the sample.
    """

    pt_min: float
    eta_max: float
    min_hits: int

    def __post_init__(self) -> None:
        if not 0 < self.eta_max < math.inf:
            raise InputError(f"eta_max must be positive and finite, got {self.eta_max}")
        if self.min_hits < 1:
            raise InputError(f"min_hits must be at least 1, got {self.min_hits}")
        if not math.isfinite(self.pt_min):
            raise InputError(f"pt_min must be a finite number in GeV, got {self.pt_min}")


@dataclass(frozen=True)
class TrackHits:
    """Hits and their truth; ``particle_id`` None means that there is no truth.

    Attributes:
        name: Name of the sample.
        pos: (N, 2 or 3), millimetres.
        surface: (N,) int64 detector-layer number.
        node_id: (N,) int64 identifier of the hit.
        particle_id: (N,) int64, 0 = noise.
        pt: (N,) GeV, nan when unknown.
        eta: (N,), nan when unknown.
        hit_weight: (N,) weight in the TrackML score.
        features: (N, F) further input features.
    """

    name: str
    pos: np.ndarray
    surface: np.ndarray
    node_id: np.ndarray
    particle_id: np.ndarray | None = None
    pt: np.ndarray | None = None
    eta: np.ndarray | None = None
    hit_weight: np.ndarray | None = None
    features: np.ndarray | None = None


def track_sample(
    hits: TrackHits, builder: GraphBuilder, window: Window, outside_weight: float
) -> Data:
    """Build the graph and attach the truth.

    The sample has, besides what the builder sets: ``instance`` (N,) 0..K-1 or -1 for noise,
    ``ignore`` (N,) True where the truth names a particle of which nothing is known, ``weight``
    (N,) 1 for noise and particles inside the window and ``outside_weight`` for the others,
    ``node_id``, ``particle_id``, ``pt``, ``eta``, ``hit_weight`` (N,) and ``name``. Without truth
    every hit has instance -1 and is ignored.
    """
    count = len(hits.pos)
    data = builder(hits.pos, hits.surface, hits.features)
    particle_id = np.zeros(count, np.int64) if hits.particle_id is None else hits.particle_id
    pt, eta, hit_weight = (
        np.full(count, fill, np.float32) if value is None else value
        for value, fill in ((hits.pt, np.nan), (hits.eta, np.nan), (hits.hit_weight, 0))
    )
    instance, sizes = local_instances(particle_id)
    signal = instance >= 0
    size_of_hit = np.where(signal, sizes[instance] if len(sizes) else 0, 0)
    known = ~np.isnan(pt)
    # Without any kinematics (a truth file alone) the window can only ask for the hits.
    any_known = bool((known & signal).any())
    with np.errstate(invalid="ignore"):
        inside = (pt >= window.pt_min) & (np.abs(eta) <= window.eta_max) if any_known else signal
    inside = inside & (size_of_hit >= window.min_hits)
    ignore = signal & ~known & any_known
    if hits.particle_id is None:
        ignore = np.ones(count, dtype=bool)
    data.instance = torch.from_numpy(instance)
    data.ignore = torch.from_numpy(ignore)
    data.weight = torch.from_numpy(
        np.where(inside | ~signal, 1.0, outside_weight).astype(np.float32)
    )
    data.node_id = torch.from_numpy(np.ascontiguousarray(hits.node_id, np.int64))
    data.particle_id = torch.from_numpy(np.ascontiguousarray(particle_id, np.int64))
    data.pt = torch.from_numpy(np.ascontiguousarray(pt, np.float32))
    data.eta = torch.from_numpy(np.ascontiguousarray(eta, np.float32))
    data.hit_weight = torch.from_numpy(np.ascontiguousarray(hit_weight, np.float32))
    data.name = hits.name
    return data


def local_instances(particle_id: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) instance numbers 0..K-1 in the order of the ids, -1 for noise, and (K,) sizes."""
    ids, inverse, sizes = np.unique(particle_id, return_inverse=True, return_counts=True)
    number = np.cumsum(ids != 0) - 1
    number[ids == 0] = -1
    return number[inverse.reshape(-1)].astype(np.int64), sizes[ids != 0]

"""Detector hits -> graph: doublets confirmed by triplets, with helix features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.doublets import find_doublets, helix_through_origin
from geoinfluencer.graphs.option_checks import check_flag, check_number, check_whole
from geoinfluencer.graphs.surfaces import surface_successions
from geoinfluencer.graphs.triplets import find_continuations

_HARMONICS = (1, 2, 4, 8, 16, 32)  # of phi: lets a narrow network tell neighbouring hits apart
TRACK_NODE_FEATURES = (
    ("r", "z", "eta")
    + tuple(f"{f}{m}phi" for m in _HARMONICS for f in ("cos", "sin"))
    + (
        "num_out",
        "num_in",
    )
)
TRACK_EDGE_FEATURES = (
    "curvature", "eta", "z0", "length", "dz", "log_out", "log_in", "mismatch_out", "mismatch_in",
    "dcurvature_out", "deta_out", "dcurvature_in", "deta_in",
)  # fmt: skip


@dataclass(frozen=True)
class TrackGraph:
    r"""Build the graph of one event from hit positions alone (truth is never looked at).

    A doublet is a pair of hits on succeeding surfaces whose helix through the beam axis passes the
    curvature and z0 cuts; it is kept when a third hit confirms it, that is when a doublet that
    shares one of its hits has nearly the same curvature and pseudorapidity. Every hit stays
    a node.

    Args:
        curvature_max: Largest curvature of a doublet [1/mm]; :math:`6 \cdot 10^{-4} / p_T` at 2 T.
        z0_max: Largest \|z\| on the beam axis [mm].
        max_skip: Surfaces that may be missed between the hits of a doublet.
        curvature_tolerance: Agreement of two doublets of a triplet [1/mm].
        eta_tolerance: The same for their pseudorapidity.
        confirm: Keep only doublets with at least one compatible continuation.

    Raises:
        InputError: An option is out of its range.
    """

    curvature_max: float = 2e-3
    z0_max: float = 200.0
    max_skip: int = 1
    curvature_tolerance: float = 1e-3
    eta_tolerance: float = 0.01
    confirm: bool = True

    def __post_init__(self) -> None:
        for name in ("curvature_max", "z0_max", "curvature_tolerance", "eta_tolerance"):
            check_number(name, getattr(self, name))
        check_whole("max_skip", self.max_skip, 0)
        check_flag("confirm", self.confirm)

    def __call__(
        self,
        pos: np.ndarray,  # (N, 2|3) mm
        surface: np.ndarray | None = None,  # (N,)
        features: np.ndarray | None = None,  # (N, F) further node features (clusters)
    ) -> Data:
        """Return ``Data`` with ``pos``, ``x`` (N, F), ``edge_index`` (2, E) inner -> outer and
        ``edge_attr`` (E, A); the columns are ``TRACK_NODE_FEATURES`` and ``TRACK_EDGE_FEATURES``.

        Raises:
            InputError: Positions are not (N, 2) or (N, 3), or not finite.
        """
        pos = np.asarray(pos, np.float32)
        if pos.ndim != 2 or pos.shape[1] not in (2, 3):
            raise InputError(
                f"`pos` has shape {pos.shape}; hits need (N, 2) or (N, 3) positions in mm"
            )
        if not np.isfinite(pos).all():
            raise InputError(f"`pos` holds {(~np.isfinite(pos)).sum()} NaN or infinite value(s)")
        r = np.hypot(pos[:, 0], pos[:, 1])
        z = pos[:, 2] if pos.shape[1] == 3 else np.zeros_like(r)
        if surface is None:
            surface = rings(r)
        pairs = self._doublets(pos, r, z, surface)
        helix = helix_through_origin(pos, pairs)
        eta = np.arcsinh(helix.cot_theta)
        linked = find_continuations(
            pairs, helix.curvature, eta, len(pos),
            curvature_tolerance=self.curvature_tolerance, eta_tolerance=self.eta_tolerance,
        )  # fmt: skip
        keep = linked.count.sum(1) > 0 if self.confirm else np.ones(pairs.shape[1], bool)
        pairs = pairs[:, keep]
        count = linked.count[keep]
        edge_attr = np.concatenate(
            [
                helix.curvature[keep, None] / 1e-3,
                eta[keep, None],
                helix.z0[keep, None] / 100,
                helix.length[keep, None] / 100,
                (z[pairs[1]] - z[pairs[0]])[:, None] / 500,
                np.log1p(count),
                linked.distance[keep],
                linked.delta[keep] / np.array([2e-4, 5e-3] * 2),
            ],
            axis=1,
        )
        num_out = np.bincount(pairs[0], minlength=len(pos))
        num_in = np.bincount(pairs[1], minlength=len(pos))
        x = np.concatenate(
            [node_features(pos), np.log1p(num_out)[:, None], np.log1p(num_in)[:, None]]
            + ([] if features is None else [features]),
            axis=1,
        )
        return Data(
            pos=torch.from_numpy(pos),
            x=torch.from_numpy(x.astype(np.float32)),
            edge_index=torch.from_numpy(np.ascontiguousarray(pairs)),
            edge_attr=torch.from_numpy(edge_attr.astype(np.float32)),
        )

    def _doublets(
        self, pos: np.ndarray, r: np.ndarray, z: np.ndarray, surface: np.ndarray
    ) -> np.ndarray:
        if len(pos) == 0:
            return np.empty((2, 0), np.int64)
        successions = surface_successions(r, z, surface, max_skip=self.max_skip, z0_max=self.z0_max)
        return find_doublets(
            pos, surface, successions, curvature_max=self.curvature_max, z0_max=self.z0_max
        )


def node_features(pos: np.ndarray) -> np.ndarray:
    """(N, F) float32 of where hits are: ``TRACK_NODE_FEATURES`` without the degrees."""
    r = np.hypot(pos[:, 0], pos[:, 1])
    z = pos[:, 2] if pos.shape[1] == 3 else np.zeros_like(r)
    phi = np.arctan2(pos[:, 1], pos[:, 0])
    waves = [f(m * phi) for m in _HARMONICS for f in (np.cos, np.sin)]
    columns = [r / 100, z / 500, np.arcsinh(z / np.maximum(r, 1e-3)), *waves]
    return np.stack(columns, axis=1).astype(np.float32)


def rings(r: np.ndarray, gap: float = 5.0) -> np.ndarray:
    """Ring numbers (N,) of hits without surface numbers: radii parted by more than ``gap`` mm."""
    order = np.argsort(r, kind="stable")
    number = np.zeros(len(r), np.int64)
    number[order[1:]] = np.cumsum(np.diff(r[order]) > gap)
    return number

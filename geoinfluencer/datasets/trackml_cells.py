"""Cluster features of hits from the TrackML cells and detectors files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.tables import Kind, Table, read_table

CELL_FEATURES = ("log_cells", "log_charge", "log_extent_0", "log_extent_1")
DIRECTION_FEATURES = ("width_u", "width_v", "thickness", "dir_r", "dir_phi", "dir_z")

_ROTATION = tuple(f"rot_{row}{column}" for row in "xyz" for column in "uvw")
_PLACE = ("volume_id", "layer_id", "module_id")


def cell_features(
    cells_path: Path, detectors_path: Path | None, hits: Table, hits_path: Path
) -> np.ndarray:
    """Return the cluster features (N, 4) of the hits, or (N, 10) with a detectors file.

    Columns are :data:`CELL_FEATURES`: log(1 + number of cells), log(1 + total charge), log of the
    cluster's extent in channels along ch0 and ch1; then :data:`DIRECTION_FEATURES`: that extent in
    millimetres (channels x pitch), the sensor's thickness in millimetres, and the absolute
    cylindrical components (r, phi, z at the hit) of the unit vector along the cluster's diagonal,
    turned from the module's frame (u, v, w) to the global one. Extents carry no sign, hence the
    absolute values: they also make the features invariant under rotation about z and mirrors.
    Hits without cells have zeros; cells of hits that are not in the file are left out.

    Raises:
        InputError: On a bad file, or a module that the detectors file does not have.
    """
    cells = read_table(
        cells_path,
        {"hit_id": "int", "ch0": "int", "ch1": "int", "value": "float"},
        what="TrackML cells",
        finite=("value",),
        allow_empty=True,
    )
    ids, size = hits["hit_id"], len(hits["hit_id"])
    order = np.argsort(ids)
    place = np.searchsorted(ids[order], cells["hit_id"]).clip(max=size - 1)
    node = order[place]
    known = ids[node] == cells["hit_id"]
    node = node[known]
    count = np.bincount(node, minlength=size)
    charge = np.bincount(node, weights=cells["value"][known], minlength=size)
    extents = [_extent(node, cells[name][known], size) for name in ("ch0", "ch1")]
    columns = [np.log1p(count), np.log1p(charge.clip(min=0)), *map(np.log1p, extents)]
    if detectors_path is not None:
        columns += _directions(detectors_path, hits, hits_path, extents)
    return np.stack(columns, axis=1).astype(np.float32)


def _extent(node: np.ndarray, channel: np.ndarray, size: int) -> np.ndarray:
    """Number of channels (size,) that each hit's cells span; 0 without cells."""
    low = np.full(size, np.iinfo(np.int64).max)
    high = np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(low, node, channel)
    np.maximum.at(high, node, channel)
    return np.where(high >= low, high - np.minimum(low, high) + 1, 0).astype(np.float64)


def _directions(
    path: Path, hits: Table, hits_path: Path, extents: list[np.ndarray]
) -> list[np.ndarray]:
    if "module_id" not in hits:
        raise InputError(f"{hits_path}: column 'module_id' is needed to join {path.name}")
    kinds: dict[str, Kind] = dict.fromkeys(_PLACE, "int")
    kinds |= dict.fromkeys((*_ROTATION, "module_t", "pitch_u", "pitch_v"), "float")
    table = read_table(path, kinds, what="TrackML detectors")
    modules = np.stack([table[name] for name in _PLACE], axis=1)
    places = np.stack([hits[name] for name in _PLACE], axis=1)
    _, inverse = np.unique(np.concatenate([modules, places]), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    row_of = np.full(inverse.max() + 1, -1)
    row_of[inverse[: len(modules)]] = np.arange(len(modules))
    row = row_of[inverse[len(modules) :]]
    lost = np.flatnonzero(row < 0)
    if len(lost):
        volume, layer, module = places[lost[0]]
        raise InputError(
            f"{path}: no row for volume {volume}, layer {layer}, module {module} "
            f"({len(lost)} hit(s) without a module); give the detectors file of these events"
        )
    width_u = extents[0] * table["pitch_u"][row]
    width_v = extents[1] * table["pitch_v"][row]
    thickness = 2 * table["module_t"][row]  # the file gives half of it
    rotation = np.stack([table[name] for name in _ROTATION], axis=1).reshape(-1, 3, 3)[row]
    local = np.stack([width_u, width_v, thickness], axis=1)
    vector = np.einsum("nij,nj->ni", rotation, local)
    vector /= np.linalg.norm(vector, axis=1, keepdims=True).clip(min=1e-12)
    phi = np.arctan2(hits["y"], hits["x"])
    along_r = vector[:, 0] * np.cos(phi) + vector[:, 1] * np.sin(phi)
    along_phi = vector[:, 1] * np.cos(phi) - vector[:, 0] * np.sin(phi)
    return [width_u, width_v, thickness, abs(along_r), abs(along_phi), abs(vector[:, 2])]

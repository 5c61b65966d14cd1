"""Transverse momentum and pseudorapidity of the hits' particles from TrackML truth tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geoinfluencer.files.tables import Table, no_duplicates, read_table


def hit_kinematics(truth: Table, particles: Path | None) -> tuple[np.ndarray, np.ndarray]:
    r"""Return pT (N,) in GeV and eta (N,) of the particle of each hit; nan for noise and unknown.

    Momenta come from the particles file; for particles without a row there, or without the file,
    from the truth momentum ``tpx, tpy, tpz`` at the particle's hit nearest to the origin. A
    momentum of exactly zero is how TrackML copies write "unknown".

    .. math:: p_T = \sqrt{p_x^2 + p_y^2}, \quad \eta = \operatorname{arsinh}(p_z / p_T)

    Args:
        truth: Columns of the truth file, with ``particle_id``.
        particles: The particles file, if there is one.

    Raises:
        InputError: On a bad particles file.
    """
    ids, inverse = np.unique(truth["particle_id"], return_inverse=True)
    inverse = inverse.reshape(-1)
    momentum = np.full((len(ids), 3), np.nan)
    if {"tpx", "tpy", "tpz"} <= truth.keys():
        momentum = _innermost_momentum(truth, inverse, len(ids))
    if particles is not None:
        _fill_from_particles(particles, ids, momentum)
    momentum[(momentum == 0).all(axis=1) | (ids == 0)] = np.nan
    pt = np.hypot(momentum[:, 0], momentum[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.arcsinh(momentum[:, 2] / pt)
    return pt[inverse], eta[inverse]


def _innermost_momentum(table: Table, inverse: np.ndarray, count: int) -> np.ndarray:
    distance = np.zeros(len(inverse))
    for name in ("tx", "ty", "tz"):
        if name in table:
            distance += table[name] ** 2
    order = np.lexsort((distance, inverse))
    first = np.searchsorted(inverse[order], np.arange(count))
    chosen = order[first]
    return np.stack([table[name][chosen] for name in ("tpx", "tpy", "tpz")], axis=1)


def _fill_from_particles(path: Path, ids: np.ndarray, momentum: np.ndarray) -> None:
    table = read_table(
        path,
        {"particle_id": "int", "px": "float", "py": "float", "pz": "float"},
        what="TrackML particles",
        finite=("px", "py", "pz"),
        allow_empty=True,
    )
    known = table["particle_id"]
    no_duplicates(path, "particle_id", known)
    if not len(known) or not len(ids):
        return
    place = np.searchsorted(ids, known).clip(max=len(ids) - 1)
    found = ids[place] == known
    rows = np.stack([table["px"], table["py"], table["pz"]], axis=1)
    momentum[place[found]] = rows[found]

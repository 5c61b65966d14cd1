"""Toy events: helices in a solenoid through barrel layers and end-cap discs, in pure NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geoinfluencer.datasets.toy_detector import ToyDetector
from geoinfluencer.datasets.toy_physics import Particles, ToyPhysics, draw_particles

_HIGHLAND = 0.0136  # GeV, scale of multiple scattering (PDG, passage of particles through matter)


@dataclass(frozen=True)
class ToyEvent:
    """Hits of one event in random order, and its particles.

    Attributes:
        pos: (N, 2 or 3) float32, millimetres.
        surface: (N,) int64 layer number: barrel from inside out, then discs by z.
        particle_id: (N,) int64, 0 = noise, particles from 1.
        pt: (P,) float32 of particle 1..P, GeV.
        eta: (P,) float32; 0 in 2-D.
        charge: (P,) int64, +-1.
        vertex: (P, 3) float32, millimetres.
    """

    pos: np.ndarray
    surface: np.ndarray
    particle_id: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    charge: np.ndarray
    vertex: np.ndarray


def generate_event(
    rng: np.random.Generator, detector: ToyDetector, physics: ToyPhysics
) -> ToyEvent:
    r"""Draw one event.

    Every particle is a circle of radius :math:`R = p_T / (0.2998\,B)` in the transverse plane and
    moves by :math:`R\,\sinh\eta` in z per radian of turn. Its first crossing with every layer is
    found analytically, for all particles and layers at once, within the first half turn (curling
    tracks are not followed further). Scattering displaces the later hits by the sum of the
    Highland angles times their lever arms.

    Args:
        rng: Source of all randomness.
        detector: The layers.
        physics: The distributions.
    """
    particles = draw_particles(rng, detector.dim, physics)
    crossing = _crossings(particles, detector)
    if physics.material > 0:
        _scatter(rng, crossing, particles, detector.is_disc, physics.material)
    keep = crossing.valid & (rng.random(crossing.valid.shape) >= physics.hole_fraction)
    particle, layer = np.nonzero(keep)
    hits = np.stack([values[keep] for values in (crossing.x, crossing.y, crossing.z)], axis=1)
    hits = _smear(rng, hits, detector.is_disc[layer], physics)
    share = physics.noise_fraction
    num_noise = round(share / (1 - share) * len(hits))
    noise, noise_layer = detector.random_points(rng, num_noise)
    order = rng.permutation(len(hits) + num_noise)
    pos = np.concatenate([hits, noise])[order, : detector.dim]
    return ToyEvent(
        pos=pos.astype(np.float32),
        surface=np.concatenate([layer, noise_layer])[order].astype(np.int64),
        particle_id=np.concatenate([particle + 1, np.zeros(num_noise, np.int64)])[order],
        pt=particles.pt.astype(np.float32),
        eta=particles.eta.astype(np.float32),
        charge=particles.charge.astype(np.int64),
        vertex=particles.vertex.astype(np.float32),
    )


@dataclass(frozen=True)
class _Crossings:
    valid: np.ndarray  # (P, L) bool
    x: np.ndarray  # (P, L) mm
    y: np.ndarray
    z: np.ndarray
    path: np.ndarray  # (P, L) transverse path from the vertex, mm


def _crossings(particles: Particles, detector: ToyDetector) -> _Crossings:
    radius, charge = particles.radius[:, None], particles.charge[:, None]
    phi, vertex = particles.phi[:, None], particles.vertex[:, :, None]
    # In a field along +z a positive particle turns clockwise: the centre lies to its right.
    centre_x = vertex[:, 0] + charge * radius * np.sin(phi)
    centre_y = vertex[:, 1] - charge * radius * np.cos(phi)
    start = np.arctan2(vertex[:, 1] - centre_y, vertex[:, 0] - centre_x)
    advance = radius * np.sinh(particles.eta)[:, None]  # z per radian

    turn = np.concatenate(
        [
            _turn_to_barrel(detector.barrel_r, centre_x, centre_y, radius, charge, start),
            _turn_to_discs(detector.disc_z, vertex[:, 2], advance),
        ],
        axis=1,
    )
    valid = np.isfinite(turn) & (turn > 0) & (turn <= math.pi)
    turn = np.where(valid, turn, 0.0)
    angle = start - charge * turn
    x = centre_x + radius * np.cos(angle)
    y = centre_y + radius * np.sin(angle)
    z = vertex[:, 2] + advance * turn
    valid &= detector.contains(np.hypot(x, y), z)
    return _Crossings(valid, x, y, z, radius * turn)


def _turn_to_barrel(
    layers: np.ndarray,
    centre_x: np.ndarray,
    centre_y: np.ndarray,
    radius: np.ndarray,
    charge: np.ndarray,
    start: np.ndarray,
) -> np.ndarray:
    """Angle (P, B) turned until the first crossing with each cylinder; nan if there is none."""
    distance = np.hypot(centre_x, centre_y)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (layers**2 + distance**2 - radius**2) / (2 * layers * distance)
        half = np.arccos(np.where(np.abs(cosine) <= 1, cosine, np.nan))
    towards = np.arctan2(centre_y, centre_x)
    turns = []
    for side in (1.0, -1.0):
        x = layers * np.cos(towards + side * half) - centre_x
        y = layers * np.sin(towards + side * half) - centre_y
        turns.append(np.mod(-charge * (np.arctan2(y, x) - start), 2 * math.pi))
    return np.minimum(turns[0], turns[1])


def _turn_to_discs(discs: np.ndarray, z: np.ndarray, advance: np.ndarray) -> np.ndarray:
    """Angle (P, D) turned until each disc's z; infinite or negative if it is never reached."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (discs - z) / advance


def _scatter(
    rng: np.random.Generator,
    crossing: _Crossings,
    particles: Particles,
    is_disc: np.ndarray,
    material: float,
) -> None:
    r"""Displace hits in place by :math:`\delta_i = \sum_{j<i} \theta_j (s_i - s_j)`."""
    cosh = np.cosh(particles.eta)[:, None]
    momentum = particles.pt[:, None] * cosh
    theta = _HIGHLAND / momentum * math.sqrt(material) * (1 + 0.038 * math.log(material))
    path = np.where(crossing.valid, crossing.path * cosh, np.inf)
    order = np.argsort(path, axis=1)
    sorted_path = np.take_along_axis(path, order, axis=1)
    reached = np.isfinite(sorted_path)
    sorted_path[~reached] = 0.0
    shifts = []
    for _ in range(2):  # the two planes across the track
        kick = rng.normal(size=path.shape) * theta * reached
        angle = np.cumsum(kick, axis=1)  # a hit's own kick has no lever arm and drops out below
        moment = np.cumsum(kick * sorted_path, axis=1)
        shift = np.empty_like(path)
        np.put_along_axis(shift, order, sorted_path * angle - moment, axis=1)
        shifts.append(np.where(crossing.valid, shift, 0.0))
    r = np.hypot(crossing.x, crossing.y)
    phi = np.arctan2(crossing.y, crossing.x) + shifts[0] / np.maximum(r, 1.0)
    # The second plane holds the beam: hits move along their surface, in z or in r.
    tanh = np.abs(np.tanh(particles.eta))[:, None]
    in_space = particles.eta[:, None] != 0
    r = r + np.where(is_disc & in_space, shifts[1] / np.maximum(tanh, 1e-6), 0.0)
    crossing.x[:] = r * np.cos(phi)
    crossing.y[:] = r * np.sin(phi)
    crossing.z[:] += np.where(~is_disc & in_space, shifts[1] * cosh, 0.0)


def _smear(
    rng: np.random.Generator, hits: np.ndarray, is_disc: np.ndarray, p: ToyPhysics
) -> np.ndarray:
    """Gaussian resolution along the surface; barrel hits keep their r, disc hits their z."""
    r = np.hypot(hits[:, 0], hits[:, 1])
    phi = np.arctan2(hits[:, 1], hits[:, 0]) + rng.normal(size=len(hits)) * p.smear_rphi / r
    along = rng.normal(size=len(hits)) * p.smear_z
    r = r + along * is_disc
    z = hits[:, 2] + along * ~is_disc
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1)

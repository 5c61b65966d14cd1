"""The physics of toy events: what is drawn, and the particles that come of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from geoinfluencer.errors import InputError

Spectrum = Literal["log-uniform", "uniform", "power"]

_MM_PER_GEV_TESLA = 1e3 / 0.299792458  # radius of curvature [mm] = this * pT [GeV] / B [T]


@dataclass(frozen=True)
class ToyPhysics:
    """What is generated; lengths in millimetres, momenta in GeV, field in tesla.

    The defaults are the standard 2-D setting.

    Attributes:
        num_tracks: Particles per event.
        num_tracks_max: When given, the number is uniform from ``num_tracks`` to this.
        field: Solenoid field along z.
        pt_low: Least transverse momentum.
        pt_high: Largest transverse momentum.
        pt_spectrum: ``"log-uniform"``, ``"uniform"`` or ``"power"`` (density ~ pT^-``pt_power``).
        pt_power: Exponent of the power law.
        eta_range: Pseudorapidity is uniform within +- this; used in 3-D.
        vertex_sigma: Spread of x and y of the vertex of each particle.
        vertex_sigma_z: Spread of z of the vertices; used in 3-D.
        num_vertices: Number of primary vertices that the particles share (pile-up); 0 gives every
            particle its own.
        displaced_fraction: Share of the particles that start at a displaced vertex.
        displaced_length: Mean transverse distance of these, exponential, along their direction.
        smear_rphi: Resolution along r-phi.
        smear_z: Resolution along z (barrel) or r (discs); used in 3-D.
        hole_fraction: Probability that a crossing leaves no hit.
        noise_fraction: Share of noise among all hits of the event.
        material: Thickness of a layer in radiation lengths; 0 = no multiple scattering.
    """

    num_tracks: int = 10
    num_tracks_max: int | None = None
    field: float = 2.0
    pt_low: float = 0.5
    pt_high: float = 10.0
    pt_spectrum: Spectrum = "log-uniform"
    pt_power: float = 3.0
    eta_range: float = 3.0
    vertex_sigma: float = 1.0
    vertex_sigma_z: float = 50.0
    num_vertices: int = 0
    displaced_fraction: float = 0.0
    displaced_length: float = 20.0
    smear_rphi: float = 0.5
    smear_z: float = 0.5
    hole_fraction: float = 0.05
    noise_fraction: float = 0.1
    material: float = 0.0

    def __post_init__(self) -> None:
        if self.num_tracks < 0 or (self.num_tracks_max or self.num_tracks) < self.num_tracks:
            raise InputError(
                f"num_tracks={self.num_tracks}, num_tracks_max={self.num_tracks_max}: give "
                "0 <= num_tracks <= num_tracks_max"
            )
        if not (0 < self.pt_low <= self.pt_high and self.field > 0):
            raise InputError(
                f"pt_low={self.pt_low}, pt_high={self.pt_high}, field={self.field}: give "
                "0 < pt_low <= pt_high and a positive field"
            )
        if self.pt_spectrum not in ("log-uniform", "uniform", "power"):
            raise InputError(
                f"pt_spectrum: {self.pt_spectrum!r} is not one of 'log-uniform', 'uniform', 'power'"
            )
        for name in ("hole_fraction", "noise_fraction", "displaced_fraction"):
            share = getattr(self, name)
            if not (0 <= share < 1 or (share == 1 and name == "displaced_fraction")):
                raise InputError(f"{name} must be a share from 0 to below 1, got {share}")
        for name in ("vertex_sigma", "vertex_sigma_z", "displaced_length", "smear_rphi", "smear_z",
                     "material", "num_vertices", "eta_range"):  # fmt: skip
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must not be negative, got {getattr(self, name)}")


@dataclass(frozen=True)
class Particles:
    """What is drawn of the P particles of one event."""

    pt: np.ndarray  # (P,) GeV
    eta: np.ndarray  # (P,)
    charge: np.ndarray  # (P,) +-1
    phi: np.ndarray  # (P,) direction at the vertex
    vertex: np.ndarray  # (P, 3) mm
    radius: np.ndarray  # (P,) mm


def draw_particles(rng: np.random.Generator, dim: int, p: ToyPhysics) -> Particles:
    """Draw the particles of one event, in 2 or 3 dimensions."""
    count = p.num_tracks
    if p.num_tracks_max is not None:
        count = int(rng.integers(p.num_tracks, p.num_tracks_max + 1))
    pt = _draw_pt(rng.random(count), p)
    charge = rng.choice(np.array([-1.0, 1.0]), size=count)
    phi = rng.uniform(-math.pi, math.pi, count)
    eta = rng.uniform(-p.eta_range, p.eta_range, count) if dim == 3 else np.zeros(count)
    sites = p.num_vertices or count
    sigma = np.array([p.vertex_sigma, p.vertex_sigma, p.vertex_sigma_z if dim == 3 else 0.0])
    vertex = rng.normal(size=(sites, 3)) * sigma
    if p.num_vertices:
        vertex = vertex[rng.integers(p.num_vertices, size=count)]
    if p.displaced_fraction > 0:
        flight = rng.exponential(p.displaced_length, count)
        flight *= rng.random(count) < p.displaced_fraction
        # The mother flies roughly where the daughter goes: within about 0.1 rad.
        angle = phi + rng.normal(0, 0.1, count)
        step = np.stack([np.cos(angle), np.sin(angle), np.sinh(eta)], axis=1)
        vertex = vertex + flight[:, None] * step
    return Particles(pt, eta, charge, phi, vertex, _MM_PER_GEV_TESLA * pt / p.field)


def _draw_pt(u: np.ndarray, p: ToyPhysics) -> np.ndarray:
    """Inverse of the cumulative spectrum at u in [0, 1)."""
    low, high = p.pt_low, p.pt_high
    if p.pt_spectrum == "uniform":
        return low + u * (high - low)
    power = p.pt_power if p.pt_spectrum == "power" else 1.0
    if power == 1.0:
        return low * (high / low) ** u
    k = 1.0 - power
    return (low**k + u * (high**k - low**k)) ** (1 / k)

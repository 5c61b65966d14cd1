from __future__ import annotations

import time

import numpy as np
import pytest

from geoinfluencer.datasets.toy_detector import ToyDetector
from geoinfluencer.datasets.toy_generator import ToyEvent, generate_event
from geoinfluencer.datasets.toy_physics import ToyPhysics
from geoinfluencer.errors import InputError

CLEAN = {"smear_rphi": 0.0, "smear_z": 0.0, "hole_fraction": 0.0, "noise_fraction": 0.0}


def event(dim: int = 2, seed: int = 0, **physics: object) -> ToyEvent:
    rng = np.random.default_rng(seed)
    return generate_event(rng, ToyDetector(dim=dim), ToyPhysics(**physics))


def test_standard_setting() -> None:
    detector, physics = ToyDetector(), ToyPhysics()
    np.testing.assert_allclose(detector.barrel_r, np.arange(100, 1001, 100))
    assert (physics.field, physics.pt_low, physics.pt_high) == (2.0, 0.5, 10.0)
    assert physics.pt_spectrum == "log-uniform"
    assert (physics.vertex_sigma, physics.smear_rphi, physics.hole_fraction) == (1.0, 0.5, 0.05)
    assert (physics.noise_fraction, physics.num_tracks) == (0.1, 10)


def test_clean_hits_lie_on_layers_and_on_the_particle_circle() -> None:
    e = event(num_tracks=200, **CLEAN)
    radius = np.hypot(*e.pos.T)
    np.testing.assert_allclose(radius, ToyDetector().barrel_r[e.surface], rtol=1e-6)
    assert len(e.pos) == 200 * 10  # 0.5 GeV in 2 T reaches r = 1.67 m: every layer is crossed
    for k in range(1, 201):
        points = np.concatenate([e.vertex[k - 1 : k, :2], e.pos[e.particle_id == k]])
        # Circle through the points: x^2 + y^2 = a x + b y + c, radius^2 = c + (a^2 + b^2) / 4.
        design = np.column_stack([points, np.ones(len(points))]).astype(np.float64)
        a, b, c = np.linalg.lstsq(design, (points.astype(float) ** 2).sum(1), rcond=None)[0]
        fitted = np.sqrt(c + (a**2 + b**2) / 4)
        expected = 1000 * e.pt[k - 1] / (0.299792458 * 2.0)
        # float32 positions of 1e3 mm have a sagitta error of 1e-4 mm
        np.testing.assert_allclose(fitted, expected, rtol=2e-4 * max(1.0, expected / 1e3))


def test_positive_particles_turn_clockwise() -> None:
    e = event(num_tracks=400, vertex_sigma=0.0, **CLEAN)
    turned = []
    for k in range(1, 401):
        points = e.pos[e.particle_id == k]
        phi = np.arctan2(points[:, 1], points[:, 0])[np.argsort(np.hypot(*points.T))]
        turned.append(np.angle(np.exp(1j * (phi[-1] - phi[0]))))
    assert (np.sign(turned) == -e.charge).all()


def test_helix_in_space() -> None:
    e = event(dim=3, num_tracks=300, vertex_sigma=0.0, **CLEAN)
    detector = ToyDetector(dim=3)
    r, z = np.hypot(e.pos[:, 0], e.pos[:, 1]), e.pos[:, 2]
    disc = detector.is_disc[e.surface]
    assert disc.any() and (~disc).any()
    np.testing.assert_allclose(r[~disc], detector.barrel_r[e.surface[~disc]], rtol=1e-5)
    np.testing.assert_allclose(z[disc], detector.disc_z[e.surface[disc] - 10], rtol=1e-5)
    assert (np.abs(z[~disc]) <= 1200.01).all()
    assert ((r[disc] > 99.9) & (r[disc] < 1000.1)).all()
    # From the axis: arc = 2 R asin(r / 2 R), z = z0 + arc sinh(eta).
    k = e.particle_id - 1
    big = 1000 * e.pt[k] / (0.299792458 * 2.0)
    arc = 2 * big * np.arcsin(r / (2 * big))
    np.testing.assert_allclose(z, e.vertex[k, 2] + arc * np.sinh(e.eta[k]), atol=0.05)


def test_noise_is_a_tenth_of_all_hits_on_random_layers_uniform_in_phi() -> None:
    e = event(num_tracks=3000)
    noise = e.particle_id == 0
    assert abs(noise.sum() - 0.1 * len(noise)) <= 1
    per_layer = np.bincount(e.surface[noise], minlength=10)
    assert (np.abs(per_layer - noise.sum() / 10) < 5 * np.sqrt(noise.sum() / 10)).all()
    phi = np.arctan2(e.pos[noise, 1], e.pos[noise, 0])
    sectors = np.histogram(phi, bins=8, range=(-np.pi, np.pi))[0]
    assert (np.abs(sectors - noise.sum() / 8) < 5 * np.sqrt(noise.sum() / 8)).all()
    assert e.particle_id.min() == 0 and e.particle_id.max() <= 3000


def test_holes_smearing_and_both_charges() -> None:
    e = event(num_tracks=4000, noise_fraction=0.0)
    assert abs(len(e.pos) / 40000 - 0.95) < 0.005
    assert abs((e.charge > 0).mean() - 0.5) < 0.05
    rng = [np.random.default_rng(5) for _ in range(2)]
    kept = {"hole_fraction": 0.0, "noise_fraction": 0.0, "num_tracks": 500}
    sharp = generate_event(rng[0], ToyDetector(), ToyPhysics(smear_rphi=0.0, **kept))
    blurred = generate_event(rng[1], ToyDetector(), ToyPhysics(**kept))
    # The same draws except for the scale of the smearing.
    np.testing.assert_array_equal(sharp.particle_id, blurred.particle_id)
    shift = np.hypot(*(blurred.pos - sharp.pos).T)
    assert abs(np.sqrt((shift**2).mean()) - 0.5) < 0.02
    np.testing.assert_allclose(np.hypot(*sharp.pos.T), np.hypot(*blurred.pos.T), rtol=1e-6)


def test_hits_are_shuffled() -> None:
    ids = event(num_tracks=100).particle_id
    assert (ids[1:] == ids[:-1]).mean() < 0.06  # by chance: about noise^2 + 1 / 100


@pytest.mark.parametrize(
    ("spectrum", "median"),
    [("log-uniform", np.sqrt(5.0)), ("uniform", 5.25), ("power", 0.706)],
)
def test_pt_spectra(spectrum: str, median: float) -> None:
    pt = event(num_tracks=20000, pt_spectrum=spectrum).pt
    assert pt.min() >= 0.5 and pt.max() <= 10
    np.testing.assert_allclose(np.median(pt), median, rtol=0.05)


def test_multiple_scattering_grows_with_radius_and_falls_with_momentum() -> None:
    spread = {}
    for pt in (0.5, 5.0):
        fixed = {"num_tracks": 2000, "pt_low": pt, "pt_high": pt, **CLEAN}
        scattered = event(seed=3, material=0.02, vertex_sigma=0.0, **fixed)
        phi_residual = []
        for layer in (2, 9):
            on = scattered.surface == layer
            k = scattered.particle_id[on] - 1
            phi = np.arctan2(scattered.pos[on, 1], scattered.pos[on, 0])
            r = np.hypot(*scattered.pos[on].T)
            big = 1000 * pt / (0.299792458 * 2.0)
            # From the origin, a hit at r is turned by asin(r / 2 R); the first layer gives phi0.
            turn = -scattered.charge[k] * np.arcsin(r / (2 * big))
            first = scattered.surface == 0
            start = np.zeros(2000)
            k0 = scattered.particle_id[first] - 1
            start[k0] = np.arctan2(scattered.pos[first, 1], scattered.pos[first, 0])
            start[k0] += scattered.charge[k0] * np.arcsin(100 / (2 * big))
            residual = np.angle(np.exp(1j * (phi - turn - start[k])))
            phi_residual.append((residual * r).std())
        spread[pt] = phi_residual
        assert phi_residual[1] > 4 * phi_residual[0]
    # Highland at 0.5 GeV and 2 %: 3.3 mrad per layer, over 900 mm and nine layers
    theta = 0.0136 / 0.5 * np.sqrt(0.02) * (1 + 0.038 * np.log(0.02))
    expected = theta * 100 * np.sqrt(sum(n**2 for n in range(1, 10)))
    np.testing.assert_allclose(spread[0.5][1], expected, rtol=0.1)
    np.testing.assert_allclose(spread[5.0][1], expected / 10, rtol=0.1)


def test_displaced_and_shared_vertices() -> None:
    e = event(num_tracks=3000, displaced_fraction=0.5, displaced_length=30.0)
    flight = np.hypot(*e.vertex[:, :2].T)
    far = flight > 6
    assert 0.35 < far.mean() < 0.5
    np.testing.assert_allclose(flight[far].mean(), 36, rtol=0.1)
    piled = event(dim=3, num_tracks=500, num_vertices=20)
    assert len(np.unique(piled.vertex[:, 2])) <= 20
    assert np.unique(e.vertex[:, 2]).tolist() == [0.0]


def test_pile_up_of_trackml_size() -> None:
    e = event(dim=3, num_tracks=10_000)
    assert 9e4 < len(e.pos) < 1.1e5


def test_a_thousand_particles_in_ten_milliseconds() -> None:
    detector, physics = ToyDetector(), ToyPhysics(num_tracks=1000)
    times = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        start = time.process_time()
        generate_event(rng, detector, physics)
        times.append(time.process_time() - start)
    assert min(times) < 0.010


def test_no_particles() -> None:
    e = event(num_tracks=0)
    assert e.pos.shape == (0, 2) and len(e.particle_id) == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"num_tracks": -1},
        {"num_tracks": 5, "num_tracks_max": 3},
        {"pt_low": 0.0},
        {"pt_low": 3.0, "pt_high": 2.0},
        {"noise_fraction": 1.0},
        {"hole_fraction": -0.1},
        {"pt_spectrum": "gauss"},
        {"vertex_sigma": -1.0},
    ],
)
def test_bad_physics(bad: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(bad))):
        ToyPhysics(**bad)


def test_bad_detector() -> None:
    for bad in ({"dim": 4}, {"num_layers": 0}, {"r_min": 0.0}, {"dim": 3, "disc_z_min": 10.0}):
        with pytest.raises(InputError):
            ToyDetector(**bad)

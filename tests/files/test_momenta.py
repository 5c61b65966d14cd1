from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.files.momenta import hit_kinematics

BIG = 9007199254740993  # not a float64


def truth(particle_id: list[int], momentum: list[tuple[float, float, float]], r: list[float]):
    tpx, tpy, tpz = np.array(momentum, dtype=float).T
    zero = np.zeros(len(r))
    return {
        "particle_id": np.array(particle_id), "tx": np.array(r, float), "ty": zero, "tz": zero,
        "tpx": tpx, "tpy": tpy, "tpz": tpz,
    }  # fmt: skip


def test_formulas_and_the_innermost_hit() -> None:
    # particle BIG loses momentum outwards: its second hit is the inner one
    table = truth([BIG, BIG, BIG + 1, 0], [(1, 0, 0), (3, 4, 5), (0, 2, -2), (9, 9, 9)],
                  [200.0, 30.0, 50.0, 1.0])  # fmt: skip
    pt, eta = hit_kinematics(table, None)
    np.testing.assert_allclose(pt, [5, 5, 2, np.nan])
    np.testing.assert_allclose(eta, [math.asinh(1), math.asinh(1), math.asinh(-1), np.nan])


def test_particles_file_comes_first_and_truth_fills_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "e-particles.csv"
    path.write_text(f"particle_id,px,py,pz\n{BIG},6,8,0\n77,1,1,1\n")
    table = truth([BIG, BIG + 1], [(1, 0, 0), (0, 2, 0)], [30.0, 30.0])
    pt, eta = hit_kinematics(table, path)
    assert pt.tolist() == [10, 2] and eta.tolist() == [0, 0]
    pt, _ = hit_kinematics({"particle_id": table["particle_id"]}, path)
    np.testing.assert_array_equal(pt, [10, np.nan])


def test_zero_momentum_is_unknown_and_no_hits_are_fine() -> None:
    pt, eta = hit_kinematics(truth([3, 3], [(0, 0, 0)] * 2, [1.0, 2.0]), None)
    assert np.isnan(pt).all() and np.isnan(eta).all()
    pt, eta = hit_kinematics({"particle_id": np.empty(0, np.int64)}, None)
    assert len(pt) == len(eta) == 0


def test_a_particle_listed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e-particles.csv"
    path.write_text("particle_id,px,py,pz\n5,1,0,0\n5,2,0,0\n")
    with pytest.raises(InputError, match=r"line 3: particle_id 5 appears a second time"):
        hit_kinematics({"particle_id": np.array([5])}, path)

"""calibrate_radius: the best radius of a grid, on the data it is given."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from geoinfluencer.condensation import Instances, calibrate_radius
from geoinfluencer.errors import InputError

# two instances 1 apart whose followers lie within .2 of their influencer
FOLLOWER = torch.tensor([[0.0], [0.2], [1.0], [1.2]])
INFLUENCER = torch.tensor([[0.0], [50.0], [1.0], [60.0]])
TRUTH = torch.tensor([0, 0, 1, 1])


def share_right(found: Instances, truth: torch.Tensor) -> float:
    return (found.instance == truth).float().mean().item()


def test_best_radius_and_the_table() -> None:
    outputs = [(FOLLOWER, INFLUENCER), SimpleNamespace(follower=FOLLOWER, influencer=INFLUENCER)]
    radius, table = calibrate_radius(
        outputs, [TRUTH, TRUTH], share_right, [3.0, 0.05, 0.3, 0.1, 0.3]
    )
    assert radius == 0.3
    assert [row.radius for row in table] == [0.05, 0.1, 0.3, 3.0]
    assert [row.score for row in table] == [0.5, 0.5, 1.0, 0.5]
    assert [row.instances for row in table] == [2.0, 2.0, 2.0, 1.0]


def test_middle_of_a_plateau_and_options_are_passed_on() -> None:
    grid = [0.25, 0.3, 0.35, 0.4, 0.45]
    outputs = [(FOLLOWER, INFLUENCER)]
    assert calibrate_radius(outputs, [TRUTH], share_right, grid)[0] == 0.35
    _, table = calibrate_radius(outputs, [TRUTH], share_right, grid, min_size=3)
    assert all(row.instances == 0 for row in table)


def test_nan_is_no_opinion() -> None:
    def score(found: Instances, truth: torch.Tensor) -> float:
        return math.nan if len(found) == 1 else share_right(found, truth)

    outputs = [(FOLLOWER, INFLUENCER)]
    radius, table = calibrate_radius(outputs, [TRUTH], score, [0.1, 3.0])
    assert radius == 0.1 and math.isnan(table[1].score)
    with pytest.raises(InputError, match="every score"):
        calibrate_radius(outputs, [TRUTH], score, [3.0])


def test_bad_arguments_are_named() -> None:
    with pytest.raises(InputError, match="radii"):
        calibrate_radius([(FOLLOWER, INFLUENCER)], [TRUTH], share_right, [])
    with pytest.raises(InputError, match="0 outputs"):
        calibrate_radius([], [], share_right, [1.0])

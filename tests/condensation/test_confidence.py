"""Scores fitted to the quality of instances on calibration data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geoinfluencer.condensation.confidence import (
    LEAST_INSTANCES,
    Confidence,
    calibration_error,
    fit_confidence,
)

NAMES = ("score", "size", "rival")


def made_up(
    weight: tuple[float, float, float], count: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Traits, qualities drawn from a logistic truth in tenths, the truth, and 20 samples."""
    rng = np.random.default_rng(seed)
    traits = rng.normal(size=(count, 3)) * (0.2, 3.0, 1.0) + (0.6, 5.0, 2.0)
    line = (traits - (0.6, 5.0, 2.0)) / (0.2, 3.0, 1.0) @ np.array(weight) + 0.4
    truth = 1 / (1 + np.exp(-line))
    return traits, rng.binomial(10, truth) / 10, truth, np.arange(count) % 20


def fit(traits: np.ndarray, quality: np.ndarray, sample: np.ndarray) -> Confidence:
    found = fit_confidence(traits, quality, sample, names=NAMES, threshold=0.3)
    assert found is not None
    return found


def test_a_known_map_is_found_again() -> None:
    traits, quality, _, sample = made_up((0.3, 1.2, -0.8), 2000)
    found = fit(traits, quality, sample)
    assert found.names == NAMES and found.threshold == 0.3 and found.instances == 2000
    assert np.array(found.weight) == pytest.approx([0.3, 1.2, -0.8], abs=0.1)
    unseen, _, right, _ = made_up((0.3, 1.2, -0.8), 500, seed=1)
    score = found(unseen, NAMES)
    assert np.abs(score - right).max() < 0.05
    assert np.corrcoef(np.argsort(np.argsort(score)), np.argsort(np.argsort(right)))[0, 1] > 0.995


def test_scores_are_qualities_after_the_fit_and_were_not_before() -> None:
    traits, quality, _, sample = made_up((0.3, 1.2, -0.8), 2000)
    found = fit(traits, quality, sample)
    assert found.error_before == calibration_error(traits[:, 0], quality) > 0.1
    assert found.error_after < 0.03
    unseen, worth, _, _ = made_up((0.3, 1.2, -0.8), 2000, seed=1)
    assert calibration_error(found(unseen, NAMES), worth) < 0.03
    # the likeliest line is right on average, whatever the truth looks like
    bent = (np.abs(traits[:, 1]) > 6).astype(float)
    assert fit(traits, bent, sample)(traits, NAMES).mean() == pytest.approx(bent.mean(), abs=1e-6)


def test_the_order_of_columns_does_not_matter_their_names_do() -> None:
    traits, quality, _, sample = made_up((0.3, 1.2, -0.8), 300)
    found = fit(traits, quality, sample)
    turned = found(traits[:, ::-1], NAMES[::-1])
    np.testing.assert_array_equal(turned, found(traits, NAMES))
    with pytest.raises(ValueError, match="size"):
        found(traits[:, :1], ("score",))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("weight", [1.0, 0.0])
def test_the_ranking_stays_where_traits_say_no_more_than_the_score(
    weight: float, seed: int
) -> None:
    """Where the score says nothing either, by chance even the opposite, it still ranks."""
    traits, quality, _, sample = made_up((weight, 0.0, 0.0), 400, seed)
    found = fit(traits, quality, sample)
    assert found.names == ("score",)
    order = np.argsort(traits[:, 0])
    inside = np.abs(traits[order, 0] - traits[:, 0].mean()) < 4 * traits[:, 0].std()
    assert (np.diff(found(traits, NAMES)[order][inside]) > 0).all()
    assert found(traits, NAMES).mean() == pytest.approx(quality.mean(), abs=0.01)


def test_too_few_instances_are_not_fitted() -> None:
    traits, quality, _, sample = made_up((0.3, 1.2, -0.8), LEAST_INSTANCES)
    short = slice(0, LEAST_INSTANCES - 1)
    few = (traits[short], quality[short], sample[short])
    assert fit_confidence(*few, names=NAMES, threshold=0.3) is None
    nothing = (np.empty((0, 3)), np.empty(0), np.empty(0, int))
    assert fit_confidence(*nothing, names=NAMES, threshold=0.3) is None
    assert fit(traits, quality, sample).instances == LEAST_INSTANCES


@pytest.mark.parametrize("worth", [0.0, 1.0])
def test_instances_all_alike(worth: float) -> None:
    traits, _, _, sample = made_up((0.0, 0.0, 0.0), 80)
    found = fit(traits, np.full(80, worth), sample)
    assert found(traits, NAMES) == pytest.approx(np.full(80, worth), abs=0.02)
    same = np.broadcast_to(traits[:1], traits.shape).copy()
    assert fit(same, np.arange(80) / 79, sample)(same, NAMES) == pytest.approx(0.5, abs=1e-6)


def test_one_sample_is_left_out_in_parts() -> None:
    traits, quality, _, _ = made_up((0.3, 1.2, -0.8), 1000)
    found = fit(traits, quality, np.zeros(1000, int))
    assert found.names == NAMES and 0 < found.error_after < 0.05 < found.error_before


def test_what_is_stranger_than_anything_seen_is_not_extrapolated() -> None:
    traits, quality, _, sample = made_up((0.3, 1.2, -0.8), 500)
    found = fit(traits, quality, sample)
    far, farther = traits[:1].copy(), traits[:1].copy()
    far[0, 1], farther[0, 1] = 1e3, 1e6
    assert found(far, NAMES) == found(farther, NAMES)


def test_plain_numbers_and_back() -> None:
    traits, quality, _, sample = made_up((0.3, 1.2, -0.8), 200)
    found = fit(traits, quality, sample)
    again = Confidence.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    np.testing.assert_array_equal(again(traits, NAMES), found(traits, NAMES))


def test_the_calibration_error_by_hand() -> None:
    score, quality = np.array([0.9, 0.1, 0.2, 0.8]), np.array([1.0, 0.0, 0.5, 0.3])
    # bins (.1, .2), (.8, .9): |.3 - .5| / 2 and |1.7 - 1.3| / 2, each half of the instances
    assert calibration_error(score, quality, bins=2) == pytest.approx((0.1 + 0.2) / 2)
    assert calibration_error(quality, quality) == 0
    assert calibration_error(score[:1], quality[:1]) == pytest.approx(0.1)
    assert np.isnan(calibration_error(score[:0], quality[:0]))

"""Scores fitted to the quality of instances on calibration data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geoinfluencer.condensation.confidence import (
    LEAST_INSTANCES,
    Confidence,
    calibration_error,
    clearly_positive,
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
    assert ranks_as_before(found, traits[:, 0])
    assert found(traits, NAMES).mean() == pytest.approx(quality.mean(), abs=0.01)


def ranks_as_before(found: Confidence, score: np.ndarray) -> bool:
    """Whether scores in single precision rise strictly with scores as found; these apart by at
    least a thousandth of their deviation."""
    rising = np.sort(score)
    kept = rising[np.append(True, np.diff(rising) > 1e-3 * score.std())]
    traits = np.column_stack([kept, np.zeros((len(kept), 2))])
    return bool((np.diff(found(traits, NAMES).astype(np.float32)) > 0).all())


def test_scores_far_from_all_others_keep_their_ranks() -> None:
    """A thousandth of them at 0 to .85, 5 to 90 deviations below the others."""
    traits, quality, _, sample = made_up((1.0, 0.0, 0.0), 20_000)
    traits[:, 0] = 0.9 + 0.01 * (traits[:, 0] - 0.6) / 0.2
    traits[:20, 0], quality[:20] = np.linspace(0.0, 0.85, 20), 0.0
    found = fit(traits, quality, sample)
    assert found.names == ("score",) and found.weight[0] > 0.5
    assert ranks_as_before(found, traits[:, 0])


@pytest.mark.parametrize("worth", [0.0, 1.0])
@pytest.mark.parametrize("others", [1, 10])
def test_scores_of_instances_nearly_all_alike_keep_their_ranks(worth: float, others: int) -> None:
    traits, _, _, sample = made_up((0.0, 0.0, 0.0), 5000)
    quality = np.full(5000, worth)
    quality[:: 5000 // others] = abs(worth - 0.1)
    found = fit(traits, quality, sample)
    assert found.names == ("score",)
    assert ranks_as_before(found, traits[:, 0])
    assert found(traits, NAMES) == pytest.approx(quality, abs=0.15)


def test_too_few_instances_are_not_fitted() -> None:
    traits, quality, _, sample = made_up((0.3, 1.2, -0.8), LEAST_INSTANCES)
    short = slice(0, LEAST_INSTANCES - 1)
    few = (traits[short], quality[short], sample[short])
    assert fit_confidence(*few, names=NAMES, threshold=0.3) is None
    nothing = (np.empty((0, 3)), np.empty(0), np.empty(0, int))
    assert fit_confidence(*nothing, names=NAMES, threshold=0.3) is None
    assert fit(traits, quality, sample).instances == LEAST_INSTANCES


@pytest.mark.parametrize("worth", [0.0, 0.3, 1.0])
def test_instances_all_alike_teach_nothing(worth: float) -> None:
    traits, _, _, sample = made_up((0.0, 0.0, 0.0), 80)
    quality = np.full(80, worth)
    assert fit_confidence(traits, quality, sample, names=NAMES, threshold=0.3) is None
    same = np.broadcast_to(traits[:1], traits.shape).copy()
    assert fit(same, np.arange(80) / 79, sample)(same, NAMES) == pytest.approx(0.5, abs=1e-6)


def of_samples(samples: int, effect: float, seed: int) -> Confidence:
    """Thirty instances in each of some samples, whose qualities lean one way in each."""
    rng = np.random.default_rng(seed)
    traits, _, _, _ = made_up((0.0, 0.0, 0.0), 30 * samples, seed)
    sample = np.repeat(np.arange(samples), 30)
    line = effect * (traits[:, 1] - 5.0) / 3.0 + rng.normal(size=samples)[sample]
    quality = rng.binomial(10, 1 / (1 + np.exp(-line))) / 10
    return fit(traits, quality, sample)


def test_traits_that_tell_are_read_with_as_many_samples_as_nuclei_have() -> None:
    assert all(of_samples(19, 0.8, seed).names == NAMES for seed in range(20))


@pytest.mark.parametrize("samples", [2, 3, 4])
def test_traits_that_tell_nothing_are_hardly_ever_read(samples: int) -> None:
    read = [of_samples(samples, 0.0, seed).names == NAMES for seed in range(60)]
    assert sum(read) <= 3


def test_a_gain_is_clear_by_the_sums_over_samples() -> None:
    sample = np.repeat(np.arange(3), 100)
    gain = np.array([0.3, 0.02, -0.01])[sample]  # one sample alone gains
    assert clearly_positive(gain, np.zeros(300, int)) and not clearly_positive(gain, sample)
    alike = np.array([0.3, 0.25, 0.35])[sample]
    assert clearly_positive(alike, sample) and not clearly_positive(-alike, sample)
    two = sample < 2  # .3 and .25: t of 11, where 12.7 would be clear
    assert not clearly_positive(alike[two], sample[two])
    assert not clearly_positive(gain[:1], sample[:1])


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

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoinfluencer.compare.statistics import (
    bootstrap_samples,
    bootstrap_seeds,
    differences,
    holm,
    paired_p,
)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=12))
def test_the_interval_is_around_the_mean_and_within_the_data(values: list[float]) -> None:
    found = bootstrap_seeds(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= found.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.high <= max(values) + 1e-9


def test_the_interval_is_that_of_the_normal_law_with_many_seeds() -> None:
    values = np.random.default_rng(0).normal(0.3, 2.0, 400)
    found = bootstrap_seeds(values)
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_one_seed_has_no_interval() -> None:
    found = bootstrap_seeds([0.5])
    assert found.mean == 0.5 and math.isnan(found.low) and not found.excludes_zero
    assert math.isnan(paired_p([0.5]))


def test_drawing_samples_too_widens_the_interval() -> None:
    rng = np.random.default_rng(1)
    table = 0.1 + rng.normal(0, 1, (1, 30)) + 0.01 * rng.normal(0, 1, (5, 30))
    both, seeds = bootstrap_samples(table), bootstrap_seeds(table.mean(1))
    assert both.mean == pytest.approx(seeds.mean)
    assert both.high - both.low > 10 * (seeds.high - seeds.low)


def test_samples_without_a_score_do_not_count() -> None:
    table = np.array([[1.0, np.nan, 3.0], [1.0, np.nan, 3.0]])
    found = bootstrap_samples(table)
    assert found.mean == 2.0 and 1.0 <= found.low <= found.high <= 3.0
    assert math.isnan(bootstrap_samples(np.full((2, 2), np.nan)).mean)


def test_holm_against_its_definition() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.02, math.nan, 0.02])[0] == pytest.approx(0.04)
    assert math.isnan(holm([math.nan])[0]) and holm([0.9, 0.8]) == [1.0, 1.0]


def test_equal_differences_are_no_chance_and_none_is_no_difference() -> None:
    assert paired_p([0.0, 0.0, 0.0]) == 1.0 and paired_p([-1.0, -1.0, -1.0]) == 0.25
    assert paired_p([0.1] * 20) < 1e-5


def test_three_seeds_rarely_mislead() -> None:
    """Of 300 comparisons without a difference few are called significant; the bootstrap alone
    would call a quarter of them so."""
    rng = np.random.default_rng(2)
    called = bootstrap_only = 0
    for values in rng.normal(0.8, 0.1, (300, 2, 3)):
        runs = {name: dict(enumerate(row)) for name, row in zip("ab", values, strict=True)}
        (found,) = differences(runs, "a")
        called += found.significant
        bootstrap_only += found.seeds.excludes_zero
    assert called < 0.08 * 300 < 0.18 * 300 < bootstrap_only


def test_seeds_are_paired() -> None:
    """A difference far below the spread between seeds is found."""
    level = np.array([0.1, 0.5, 0.9, 0.3, 0.7])
    shift = 0.02 + 1e-3 * np.array([1, -1, 2, 0, -2])
    runs = {"mine": dict(enumerate(level + shift)), "base": dict(enumerate(level))}
    (found,) = differences(runs, "base")
    assert found.significant and found.seeds.mean == pytest.approx(0.02)


def test_failed_runs_and_seeds_of_one_alone_are_left_out() -> None:
    runs = {"base": {0: 0.5, 1: 0.5, 2: math.nan}, "mine": {0: 0.6, 1: math.nan, 2: 0.6, 3: 0.6}}
    (found,) = differences(runs, "base")
    assert found.differences == pytest.approx((0.1,)) and not found.significant
    (none,) = differences({"base": {0: 0.5}, "mine": {1: 0.5}}, "base")
    assert none.differences == () and math.isnan(none.seeds.mean)


def test_samples_are_paired_with_the_seeds_that_both_have() -> None:
    runs = {"base": {0: 0.5, 1: 0.5}, "mine": {0: 0.6, 1: 0.7}}
    scores = {"base": {0: np.zeros(4), 1: np.zeros(4)}, "mine": {0: np.ones(4)}}
    (found,) = differences(runs, "base", scores)
    assert found.samples is not None and found.samples.mean == 1.0
    scores["mine"][1] = np.ones(3)  # other samples
    (found,) = differences(runs, "base", {**scores, "mine": {1: np.ones(3)}})
    assert found.samples is None

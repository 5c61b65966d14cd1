from __future__ import annotations

import numpy as np

from geoinfluencer.compare.curves import POINTS, Curve, band, median_or_never, reaching


def curve(seed: int, step: list[float], value: list[float], pace: float = 1.0) -> Curve:
    places = np.array(step)
    return Curve("", "a", seed, places, pace * places, np.array(value))


def test_a_band_is_mean_and_range_where_all_seeds_are() -> None:
    curves = [curve(0, [10, 20, 30], [0.0, 0.2, 0.4]), curve(1, [10, 20], [0.2, 0.6])]
    found = band("a", curves, "step")
    assert found.place.tolist() == [10, 20]
    np.testing.assert_allclose(found.mean, [0.1, 0.4])
    np.testing.assert_allclose([found.low, found.high], [[0.0, 0.2], [0.2, 0.6]])


def test_seeds_of_another_pace_are_interpolated() -> None:
    curves = [curve(0, [0, 10], [0, 1.0]), curve(1, [0, 10], [0, 1.0], pace=2.0)]
    found = band("a", curves, "seconds")
    assert found.place.tolist() == [0, 10]
    np.testing.assert_allclose(found.mean, [0, 0.75])


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    steps = list(range(5000))
    found = band("a", [curve(0, steps, steps)], "step")
    assert len(found.place) == POINTS and found.place[0] == 0 and found.place[-1] == 4999


def test_seeds_that_do_not_overlap_in_time_leave_one_point() -> None:
    curves = [curve(0, [1, 2], [0.1, 0.2]), curve(1, [1, 2], [0.3, 0.4], pace=10.0)]
    assert band("a", curves, "seconds").place.tolist() == [10]


def test_reaching_is_that_of_the_mean_of_the_seeds() -> None:
    curves = [curve(0, [10, 20, 30], [0.0, 0.4, 0.4]), curve(1, [10, 20, 30], [0.2, 0.4, 0.8], 2)]
    found = reaching("a", curves, 0.6)
    assert (found.steps, found.reached, found.seeds) == (30, 1, 2)
    assert found.seconds is None  # the mean over time ends where the quicker seed does
    assert reaching("a", curves, 0.4).steps == 20
    assert reaching("a", curves, 0.9).steps is None


def test_the_reference_reaches_its_own_end_despite_rounding() -> None:
    ends = [0.1, 0.2, 0.7]
    curves = [curve(i, [1, 2], [0.0, end]) for i, end in enumerate(ends)]
    assert reaching("a", curves, sum(ends) / 3).steps == 2


def test_a_median_over_those_that_never_get_there() -> None:
    assert median_or_never([3, None, 5]) == 5.0
    assert median_or_never([3, None]) is None and median_or_never([]) is None

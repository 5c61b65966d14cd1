"""Events put together, curves, arrays as they come, and the speed at the size of TrackML."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import TrackMetrics


def test_empty_event_and_events_pooled_by_counts() -> None:
    metrics = TrackMetrics()
    empty = metrics.update([], [], pt=[], eta=[])
    assert math.isnan(empty["dm_efficiency"]) and empty["num_tracks"] == 0
    metrics.update([0, 0, 0], [1, 1, 1], pt=[1.0] * 3, eta=[0.0] * 3, name="a")
    truth = [1] * 3 + [2] * 3 + [3] * 3
    metrics.update([-1] * 9, truth, pt=[1.0] * 9, eta=[0.0] * 9, name="b")
    pooled = metrics.compute()
    expected = {"dm_efficiency": 0.25, "num_particles": 4, "num_events": 3, "trackml_score": 0.5}
    assert {name: pooled[name] for name in expected} == pytest.approx(expected)
    assert metrics.events["a"]["dm_efficiency"] == 1 and metrics.events["b"]["dm_efficiency"] == 0
    nothing = TrackMetrics().compute()
    assert math.isnan(nothing["dm_efficiency"]) and nothing["num_events"] == 0


def test_tensors_and_big_ids() -> None:
    big = 2**53
    truth = torch.tensor([big, big, big, big + 1, big + 1, big + 1])
    m = TrackMetrics().update(
        torch.tensor([0, 0, 0, 1, 1, 1]), truth, pt=torch.ones(6), eta=torch.zeros(6)
    )
    assert m["perfect_efficiency"] == 1 and m["num_particles"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"particle_id": [1, 2]}, r"particle_id has shape \(2,\), expected \(3,\)"),
        ({"pt": [[1.0], [1.0], [1.0]]}, r"pt has shape \(3, 1\)"),
        ({"predicted": [0.5, 1.0, 2.0]}, "predicted: value 0.5 at position 0"),
        ({"particle_id": [1e17, 1.0, 2.0]}, r"particle_id: value 1e\+17"),
        ({"predicted": ["a", "b", "c"]}, "predicted has type"),
    ],
)
def test_bad_arrays(change: dict[str, Any], message: str) -> None:
    arrays: dict[str, Any] = {"predicted": [0] * 3, "particle_id": [1] * 3}
    arrays |= {"pt": [1.0] * 3, "eta": [0.0] * 3} | change
    with pytest.raises(InputError, match=message):
        TrackMetrics().update(
            arrays["predicted"], arrays["particle_id"], pt=arrays["pt"], eta=arrays["eta"]
        )
    with pytest.raises(InputError, match="eta_max"):
        TrackMetrics(eta_max=-1.0)


def test_curves() -> None:
    truth = [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    pt = [0.5] * 3 + [1.0] * 3 + [1.0] * 3 + [50.0] * 3
    eta = [0.0] * 3 + [1.0] * 3 + [-1.0] * 3 + [5.0] * 3
    metrics = TrackMetrics()
    metrics.update([0] * 3 + [1] * 3 + [-1] * 3 + [2] * 3, truth, pt=pt, eta=eta)
    curves = metrics.curves()
    assert curves["pt"].total.sum() == 3  # the one at eta = 5 is out
    at_one = np.searchsorted(curves["pt"].edges, 1.0, side="right") - 1
    assert curves["pt"].efficiency[at_one] == 0.5 and curves["pt"].total[at_one] == 2
    assert curves["eta"].total.sum() == 2  # pT 0.5 is out, and eta = 5
    low, high = curves["pt"].interval()
    assert low[at_one] < 0.5 < high[at_one]
    assert TrackMetrics().curves()["pt"].total.sum() == 0


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_curves_have_the_particles_of_the_window(precision: type) -> None:
    truth = [1] * 3 + [2] * 3 + [3] * 3
    pt = np.array([0.9] * 3 + [2.0] * 6, precision)
    eta = np.array([0.0] * 3 + [2.7] * 3 + [-2.7] * 3, precision)
    metrics = TrackMetrics(eta_max=2.7)
    found = metrics.update(truth, truth, pt=pt, eta=eta)
    curves = metrics.curves()
    assert found["num_particles"] == curves["pt"].total.sum() == curves["eta"].total.sum() == 3
    assert curves["pt"].total[curves["pt"].edges[:-1] == 0.9] == 1


def test_speed_at_trackml_size() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 9000, 66_000) * 10**14
    predicted = np.where(rng.random(66_000) < 0.8, truth // 10**14, rng.integers(-1, 9000, 66_000))
    pt, eta = np.ones(66_000), np.zeros(66_000)
    times = []
    for _ in range(5):
        start = time.process_time()
        TrackMetrics().update(predicted, truth, pt=pt, eta=eta)
        times.append(time.process_time() - start)
    assert min(times) < 0.1

"""Schedules of the temperature: by the clock, by the loss, through a checkpoint."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.losses.mask_influencer import MaskInfluencerLoss
from geoinfluencer.losses.temperature import TemperatureSchedule


def test_steps_fall_linearly_and_stay() -> None:
    schedule = TemperatureSchedule(1.0, 0.5, 4)
    seen = []
    for _ in range(6):
        seen.append(float(schedule.value))
        schedule.advance(torch.tensor(1.0))
    assert seen == pytest.approx([1.0, 0.875, 0.75, 0.625, 0.5, 0.5])


def test_loss_drives_it_both_ways() -> None:
    schedule = TemperatureSchedule(1.0, 0.5, 2, "loss")
    schedule.advance(torch.tensor(3.0))  # worse than uniform counts as uniform
    assert float(schedule.value) == 1.0
    schedule.advance(torch.tensor(0.0))
    assert float(schedule.value) == pytest.approx(0.75)
    schedule.advance(torch.tensor(1.0))
    assert float(schedule.value) == pytest.approx(0.875)


def options() -> MaskInfluencerLoss:
    return MaskInfluencerLoss(coupling="none", temperature_start=1.0, temperature_steps=10)


def test_a_checkpoint_resumes_where_it_was() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, instance = torch.randn(12, 4, generator=generator), torch.arange(12) % 3
    loss = options()
    for _ in range(4):
        loss(logits, instance)
    saved = copy.deepcopy(loss.state_dict())
    resumed = options()
    fresh = resumed(logits, instance)["attraction"]
    resumed.load_state_dict(saved)
    going_on, again = loss(logits, instance)["attraction"], resumed(logits, instance)["attraction"]
    assert torch.equal(going_on, again) and not torch.equal(going_on, fresh)
    assert float(resumed.schedule.value) == pytest.approx(0.75)  # type: ignore[union-attr]


def test_evaluation_takes_no_step() -> None:
    loss = options().eval()
    loss(torch.zeros(4, 2), torch.arange(4) % 2)
    assert float(loss.schedule.value) == 1.0  # type: ignore[union-attr]


def test_the_step_comes_after_the_backward_may_still_use_the_value() -> None:
    loss = options()
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    value = loss(logits, torch.arange(6) % 2).total
    loss(logits, torch.arange(6) % 2)
    value.backward()  # would fail if the temperature had changed in place under it
    assert logits.grad is not None and bool(torch.isfinite(logits.grad).all())


def test_the_loss_lowers_it_as_instances_find_their_queries() -> None:
    loss = MaskInfluencerLoss(
        coupling="none", temperature_start=1.0, temperature_steps=1, temperature_drive="loss"
    )
    instance = torch.arange(8) % 2
    loss(torch.zeros(8, 4), instance)
    assert loss.schedule is not None and float(loss.schedule.value) == pytest.approx(1.0)
    sure = 20 * torch.nn.functional.one_hot(instance, 4).float()
    loss(sure, instance)
    assert float(loss.schedule.value) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.2, 0.5, 3), "run from 0.2 to 0.5"),
        ((1.0, 0.0, 3), "run from 1.0 to 0.0"),
        ((1.0, 0.5, 0), "temperature_steps is 0"),
        ((1.0, 0.5, 3, "clock"), "temperature_drive 'clock'"),
    ],
)
def test_what_is_no_schedule_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TemperatureSchedule(*arguments)

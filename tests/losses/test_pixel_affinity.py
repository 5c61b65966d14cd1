"""The loss of pixels that choose among segments."""

from __future__ import annotations

import math

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.losses import pixel_affinity_loss

LOG = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]]).log()


def test_the_mass_on_segments_of_the_own_instance_counts() -> None:
    of_segment = torch.tensor([[4, -1, 4], [4, -1, 4]])
    truth = torch.tensor([4, -1])
    expected = -(math.log(0.7) + math.log(0.6)) / 2
    assert pixel_affinity_loss(LOG, of_segment, truth).item() == pytest.approx(expected)
    shifted = LOG + torch.tensor([[3.0], [-2.0]])
    assert pixel_affinity_loss(shifted, of_segment, truth).item() == pytest.approx(expected)


def test_pixels_without_a_right_segment_and_ignored_ones_are_left_out() -> None:
    of_segment = torch.tensor([[4, -1, 4], [4, -1, -2]])
    found = pixel_affinity_loss(LOG, of_segment, torch.tensor([-1, 7]))
    assert found.item() == pytest.approx(-math.log(0.3))
    found = pixel_affinity_loss(LOG, of_segment, torch.tensor([-1, -2]))
    assert found.item() == pytest.approx(-math.log(0.3))


def test_ignored_and_repeated_segments_take_no_part() -> None:
    of_segment = torch.tensor([[4, -1, 4]])
    truth = torch.tensor([4])
    ignore = torch.tensor([[False, True, False]])
    assert pixel_affinity_loss(LOG[:1], of_segment, truth, ignore=ignore).item() == 0
    twice = torch.tensor([[0.5, -math.inf, 0.3]])
    found = pixel_affinity_loss(twice, torch.tensor([[4, 4, -1]]), truth).item()
    assert found == pytest.approx(math.log(1 + math.exp(-0.2)))
    ignore = torch.tensor([[True, False, True]])  # only a wrong one is left: nothing to learn
    assert pixel_affinity_loss(LOG[:1], of_segment, truth, ignore=ignore).item() == 0


def test_gradients_are_finite_with_segments_that_cannot_be_had() -> None:
    logits = torch.tensor([[0.5, -math.inf, 0.3], [0.0, 0.0, 0.0]], requires_grad=True)
    of_segment = torch.tensor([[4, 4, -1], [0, 0, 0]])
    pixel_affinity_loss(logits, of_segment, torch.tensor([4, 9])).backward()
    assert logits.grad is not None
    right = 1 / (1 + math.exp(-0.2))
    expected = torch.tensor([[right - 1, 0, 1 - right], [0, 0, 0]])
    torch.testing.assert_close(logits.grad, expected)


def test_the_loss_of_no_pixels_is_zero_and_attached() -> None:
    logits = torch.zeros(0, 3, requires_grad=True)
    nothing = torch.zeros(0, 3, dtype=torch.int64)
    found = pixel_affinity_loss(logits, nothing, torch.zeros(0, dtype=torch.int64))
    assert found.item() == 0 and found.requires_grad


def test_shapes_must_fit() -> None:
    with pytest.raises(InputError, match=r"expected \(P, C\), \(P, C\), \(P,\)"):
        pixel_affinity_loss(LOG, torch.zeros(2, 2, dtype=torch.int64), torch.zeros(2))

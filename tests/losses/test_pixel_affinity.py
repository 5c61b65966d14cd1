"""The loss of pixels that choose among segments, or to be background."""

from __future__ import annotations

import math

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.losses import pixel_affinity_loss

LOG = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]]).log()
INSIDE = torch.tensor([0.4, -1.2])


def outside(logit: float) -> float:
    """-ln (1 - sigma(logit)); that of being inside has the other sign."""
    return math.log1p(math.exp(logit))


def test_background_is_one_choice_and_the_mass_on_the_own_instance_the_other() -> None:
    of_segment = torch.tensor([[4, 2, 4], [4, -1, 5]])
    truth = torch.tensor([4, -1])
    expected = (outside(-0.4) - math.log(0.7) + outside(-1.2)) / 2
    found = pixel_affinity_loss(LOG, INSIDE, of_segment, truth)
    assert found.item() == pytest.approx(expected)
    shifted = LOG + torch.tensor([[3.0], [-2.0]])
    found = pixel_affinity_loss(shifted, INSIDE, of_segment, truth)
    assert found.item() == pytest.approx(expected)


def test_background_segments_are_no_choice() -> None:
    of_segment = torch.tensor([[4, -1, 5], [-1, 7, -1]])
    found = pixel_affinity_loss(LOG, INSIDE, of_segment, torch.tensor([5, 7]))
    expected = (outside(-0.4) - math.log(0.2 / 0.7) + outside(1.2)) / 2
    assert found.item() == pytest.approx(expected)


def test_pixels_without_a_right_segment_learn_that_they_are_inside_alone() -> None:
    of_segment = torch.tensor([[4, -1, 4], [4, 3, -2]])
    found = pixel_affinity_loss(LOG, INSIDE, of_segment, torch.tensor([-1, 7]))
    assert found.item() == pytest.approx((outside(0.4) + outside(1.2)) / 2)


def test_ignored_pixels_are_left_out() -> None:
    of_segment = torch.tensor([[4, -1, 4], [4, 3, -2]])
    found = pixel_affinity_loss(LOG, INSIDE, of_segment, torch.tensor([-2, -1]))
    assert found.item() == pytest.approx(outside(-1.2))


def test_ignored_and_repeated_segments_take_no_part() -> None:
    one, truth = INSIDE[:1], torch.tensor([4])
    ignore = torch.tensor([[False, True, False]])
    found = pixel_affinity_loss(LOG[:1], one, torch.tensor([[4, 5, 4]]), truth, ignore=ignore)
    assert found.item() == pytest.approx(outside(-0.4))
    twice = torch.tensor([[0.5, -math.inf, 0.3]])
    found = pixel_affinity_loss(twice, one, torch.tensor([[4, 4, 5]]), truth)
    assert found.item() == pytest.approx(outside(-0.4) + math.log(1 + math.exp(-0.2)))
    ignore = torch.tensor([[True, False, True]])  # only a wrong one is left to choose
    found = pixel_affinity_loss(LOG[:1], one, torch.tensor([[4, 5, 4]]), truth, ignore=ignore)
    assert found.item() == pytest.approx(outside(-0.4))


def test_gradients_are_finite_with_segments_that_cannot_be_had() -> None:
    logits = torch.tensor([[0.5, -math.inf, 0.3], [0.0, 0.0, 0.0]], requires_grad=True)
    inside = torch.zeros(2, requires_grad=True)
    of_segment = torch.tensor([[4, 4, 6], [0, 0, -1]])
    pixel_affinity_loss(logits, inside, of_segment, torch.tensor([4, -1])).backward()
    assert logits.grad is not None and inside.grad is not None
    right = 1 / (1 + math.exp(-0.2))
    expected = torch.tensor([[right - 1, 0, 1 - right], [0, 0, 0]]) / 2
    torch.testing.assert_close(logits.grad, expected)
    torch.testing.assert_close(inside.grad, torch.tensor([-0.25, 0.25]))


def test_the_loss_of_no_pixels_is_zero_and_attached() -> None:
    logits = torch.zeros(0, 3, requires_grad=True)
    inside = torch.zeros(0, requires_grad=True)
    nothing = torch.zeros(0, 3, dtype=torch.int64)
    found = pixel_affinity_loss(logits, inside, nothing, torch.zeros(0, dtype=torch.int64))
    assert found.item() == 0 and found.requires_grad


def test_shapes_must_fit() -> None:
    of_segment = torch.zeros(2, 2, dtype=torch.int64)
    with pytest.raises(InputError, match=r"expected \(P, C\), \(P,\), \(P, C\), \(P,\)"):
        pixel_affinity_loss(LOG, INSIDE, of_segment, torch.zeros(2))
    with pytest.raises(InputError, match=r"inside \(3,\)"):
        pixel_affinity_loss(LOG[:, :2], torch.zeros(3), of_segment, torch.zeros(2))

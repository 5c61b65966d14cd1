"""From instances of segments to instances of pixels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer.condensation.pixels import decode_pixels, likeliest_instance
from geoinfluencer.errors import InputError


def test_segments_of_an_instance_stand_together() -> None:
    logits = torch.tensor([[0.4, 0.35, 0.25], [0.2, 0.7, 0.1]]).log()
    inside = torch.ones(2)
    found = likeliest_instance(logits, inside, torch.tensor([[0, 1, 1], [3, 2, 3]]))
    assert found.tolist() == [1, 2]
    found = likeliest_instance(logits, inside, torch.tensor([[0, 1, 2], [3, 2, 3]]))
    assert found.tolist() == [0, 2]


def test_background_is_what_is_not_inside() -> None:
    logits = torch.tensor([[0.0, 9.0, 1.0]]).expand(4, 3)
    of_segment = torch.tensor([[0, -1, 1], [0, -1, 1], [-1, -1, -1], [-1, 5, -1]])
    inside = torch.tensor([0.1, -0.1, 3.0, 0.1])
    # the segment without an instance is no candidate, however likely
    assert likeliest_instance(logits, inside, of_segment).tolist() == [1, -1, -1, 5]


def test_segments_that_cannot_be_had_do_not_count() -> None:
    logits = torch.tensor([[0.0, -torch.inf, -torch.inf, 0.1]])
    found = likeliest_instance(logits, torch.ones(1), torch.tensor([[5, 5, 5, 6]]))
    assert found.tolist() == [6]
    only = torch.tensor([[-torch.inf, 0.0]])  # the one that may be had has no instance
    assert likeliest_instance(only, torch.ones(1), torch.tensor([[5, -1]])).tolist() == [-1]


def test_shapes_must_fit() -> None:
    with pytest.raises(InputError, match=r"expected \(P, C\), \(P, C\)"):
        likeliest_instance(torch.zeros(2, 3), torch.zeros(2), torch.zeros(2, 2, dtype=torch.int64))


class Stripes:
    """A row of 16 pixels in segments of four; a pixel leans to the segment of the pixel after it,
    and may have the own one or that."""

    num_pixels = 16
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.asked: list[int] = []

    def candidates(self, pixel: Tensor) -> Tensor:
        return torch.stack([pixel // 4, (pixel + 1).clamp(max=15) // 4], dim=1)

    def logits(self, pixel: Tensor, candidate: Tensor) -> tuple[Tensor, Tensor]:
        self.asked += pixel.tolist()
        return torch.tensor([0.0, 1.0]).expand(len(pixel), 2), (pixel < 11).float() - 0.5


@pytest.mark.parametrize("block", [1, 3, 100])
def test_only_pixels_in_doubt_are_looked_at(block: int) -> None:
    stripes = Stripes()
    found = decode_pixels(stripes, torch.tensor([0, 0, 1, -1]), block=block)
    assert stripes.asked == [7, 11]
    assert found.tolist() == [0] * 7 + [1] * 4 + [-1] * 5
    found = decode_pixels(stripes, torch.tensor([-1, 0, -1, 1]), block=block)
    assert found.tolist() == [-1] * 3 + [0] * 5 + [-1] * 4 + [1] * 4

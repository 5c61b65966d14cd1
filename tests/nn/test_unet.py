"""The U-Net: any size in, the same size out."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.nn.unet import SmallUNet


@pytest.mark.parametrize("size", [(1, 1), (7, 40), (16, 16), (33, 17), (50, 31)])
def test_any_size(size: tuple[int, int]) -> None:
    net = SmallUNet(3, 5, width=2, depth=3)
    assert net(torch.randn(2, 3, *size)).shape == (2, 5, *size)


def test_padding_repeats_the_border_below_and_to_the_right() -> None:
    net = SmallUNet(1, 2, width=2, depth=2).eval()
    image = torch.randn(1, 1, 6, 9)
    padded = torch.cat([image, image[:, :, -1:].expand(-1, -1, 2, -1)], dim=2)
    padded = torch.cat([padded, padded[..., -1:].expand(-1, -1, -1, 3)], dim=3)
    assert torch.equal(net(image), net(padded)[..., :6, :9])


def test_every_weight_learns() -> None:
    net = SmallUNet(3, 4, width=4, depth=2)
    net(torch.randn(2, 3, 19, 21)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_each_level_doubles_the_channels_and_halves_the_image() -> None:
    net = SmallUNet(3, 4, width=6, depth=3)
    seen = []
    for block in (*net.down, net.bottom, *net.up):
        block.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape[1:])))
    net(torch.randn(1, 3, 32, 16))
    assert seen == [
        (6, 32, 16), (12, 16, 8), (24, 8, 4), (48, 4, 2), (24, 8, 4), (12, 16, 8), (6, 32, 16),
    ]  # fmt: skip
    assert net.extra_repr() == "3 -> 4, width=6, depth=3"


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(InputError, match=r"image \(1, 2, 8, 8\) must be \(B, 3, H, W\)"):
        SmallUNet(3, 1)(torch.zeros(1, 2, 8, 8))
    with pytest.raises(InputError, match="depth must be at least 1, got 0"):
        SmallUNet(3, 1, depth=0)

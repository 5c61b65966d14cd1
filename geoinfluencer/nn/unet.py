"""A compact U-Net: images in, channels per pixel out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from geoinfluencer.errors import InputError


class SmallUNet(nn.Module):
    r"""Encoder and decoder with skip connections after `"U-Net: Convolutional Networks for
    Biomedical Image Segmentation" (Ronneberger et al., 2015) <https://arxiv.org/abs/1505.04597>`_,
    with batch normalisation and a few channels.

    On the way down ``depth`` times two of Conv-BN-ReLU (3 x 3) and a 2 x 2 maximum, each level
    with twice the channels; on the way up transposed convolutions beside the skipped states; a
    1 x 1 convolution at the end. Images of any size are padded to a multiple of
    :math:`2^\text{depth}` by repeating their border, and the output is cropped back.

    Args:
        in_channels (int): of the images.
        out_channels (int): of the output.
        width (int): channels of the first level. (default: 16)
        depth (int): times that the image is halved. (default: 4)

    Shapes:
        - **image**: (B, in_channels, H, W)
        - **output**: (B, out_channels, H, W)

    Raises:
        InputError: a size below 1, or an image of another number of channels.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, width: int = 16, depth: int = 4
    ) -> None:
        super().__init__()
        sizes = {"in_channels": in_channels, "out_channels": out_channels}
        for name, size in {**sizes, "width": width, "depth": depth}.items():
            if size < 1:
                raise InputError(f"{name} must be at least 1, got {size}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.width, self.depth = width, depth
        channels = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            _block(before, after)
            for before, after in zip([in_channels, *channels[:-2]], channels[:-1], strict=True)
        )
        self.bottom = _block(channels[-2], channels[-1])
        self.rise = nn.ModuleList(
            nn.ConvTranspose2d(c, c // 2, 2, stride=2) for c in reversed(channels[1:])
        )
        self.up = nn.ModuleList(_block(c, c // 2) for c in reversed(channels[1:]))
        self.head = nn.Conv2d(width, out_channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Channels of every pixel."""
        if image.dim() != 4 or image.shape[1] != self.in_channels:
            raise InputError(
                f"image {tuple(image.shape)} must be (B, {self.in_channels}, H, W), as the net's "
                "in_channels say"
            )
        height, width = image.shape[-2:]
        step = 2**self.depth
        missing = (0, -width % step, 0, -height % step)
        state = nn.functional.pad(image, missing, mode="replicate") if any(missing) else image
        skipped = []
        for block in self.down:
            state = block(state)
            skipped.append(state)
            state = nn.functional.max_pool2d(state, 2)
        state = self.bottom(state)
        for rise, block, beside in zip(self.rise, self.up, reversed(skipped), strict=True):
            state = block(torch.cat([beside, rise(state)], dim=1))
        found: Tensor = self.head(state)
        return found[..., :height, :width]

    def extra_repr(self) -> str:
        return f"{self.in_channels} -> {self.out_channels}, width={self.width}, depth={self.depth}"


def _block(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [
            nn.Conv2d(channels, after, 3, padding=1, bias=False),  # the norm has the bias
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)

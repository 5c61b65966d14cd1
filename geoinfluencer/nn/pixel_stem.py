"""A few convolutions over the pixels, whose features segments can have too."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.nn.pixel_images import PixelImages

STRIDE = 2  # pixels per cell of the maps
_DILATIONS = (1, 2, 4)
_HALO = 8  # cells: one more than the dilations reach


@dataclass(frozen=True)
class FeatureMaps:
    """Q cells of B images, row by row; cell (i, j) is centred on pixel (2 i, 2 j).

    Attributes:
        images: what they were made of.
        values: features.
        size: rows and columns of cells of each image.
        start: first cell of each image, and Q.
    """

    images: PixelImages
    values: Tensor  # (Q, C)
    size: Tensor  # (B, 2) int64
    start: Tensor  # (B+1,) int64

    def split(self) -> list[FeatureMaps]:
        """One object per image."""
        return [
            FeatureMaps(
                image, self.values[a:b], self.size[i : i + 1], self.start.new_tensor([0, b - a])
            )
            for i, (image, (a, b)) in enumerate(
                zip(self.images.split(), pairwise(self.start.tolist()), strict=True)
            )
        ]

    def at(self, pixel: Tensor) -> Tensor:
        """Features (n, C) at some pixels, linear between cells."""
        image, row, column = self.images.place(pixel)
        size, start = self.size[image], self.start[image]
        cells = []
        for y in (row // STRIDE, (row + 1) // STRIDE):  # the same cell twice in even rows
            for x in (column // STRIDE, (column + 1) // STRIDE):
                y, x = torch.minimum(y, size[:, 0] - 1), torch.minimum(x, size[:, 1] - 1)
                cells.append(start + y * size[:, 1] + x)
        found = ops.segment_gather(self.values, torch.stack(cells, dim=1).reshape(-1))
        return found.view(len(pixel), 4, self.values.shape[1]).mean(1)

    def pooled(self, num_nodes: int) -> Tensor:
        """Mean feature (N, C) of the cells centred in each segment; 0 where there is none."""
        pixel = [
            (begin + STRIDE * (y[:, None] * width + x)).reshape(-1)
            for begin, (_, width), (y, x) in zip(
                self.images.start.tolist()[:-1],
                self.images.size.tolist(),
                self._axes(),
                strict=True,
            )
        ]
        return ops.segment_mean(self.values, self.images.node(torch.cat(pixel)), num_nodes)

    def _axes(self) -> list[tuple[Tensor, Tensor]]:
        device = self.values.device
        return [
            (torch.arange(h, device=device), torch.arange(w, device=device))
            for h, w in self.size.tolist()
        ]


class PixelStem(nn.Module):
    r"""Convolutions of one stride and three dilations, for images of any size.

    .. math::
        u &= W_0 *_{\text{stride } 2} \hat{v} \\
        u &\leftarrow u + W_d * \mathrm{SiLU}(u), \qquad d = 1, 2, 4

    with :math:`\hat v` the colours of :meth:`PixelImages.values`, which are the same for an image
    and for a brighter, flatter or inverted one. A cell sees 31 x 31 pixels. No layer normalises
    over an image, so large ones are taken by blocks of rows with the same result.

    Args:
        channels (int): C. (default: 16)
        block (int): about how many pixels go through at once. (default: 2^20)

    Shapes:
        - **input:** :class:`PixelImages`
        - **output:** :class:`FeatureMaps`, values (Q, C)
    """

    def __init__(self, channels: int = 16, *, block: int = 2**20) -> None:
        super().__init__()
        if channels < 1:
            raise InputError(f"model.stem_channels is {channels}; it must be at least 1")
        self.channels, self.block = channels, block
        self.first = nn.Conv2d(3, channels, 3, stride=STRIDE, padding=1)
        self.layers = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=d, dilation=d) for d in _DILATIONS
        )

    def reset_parameters(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                module.reset_parameters()

    def forward(self, images: PixelImages) -> FeatureMaps:
        size = (images.size + STRIDE - 1) // STRIDE
        values = [self._of_image(images, i, *each) for i, each in enumerate(images.size.tolist())]
        start = nn.functional.pad(size.prod(1).cumsum(0), (1, 0))
        return FeatureMaps(images, torch.cat(values), size, start)

    def _of_image(self, images: PixelImages, image: int, height: int, width: int) -> Tensor:
        cells = -(-height // STRIDE)
        step = max(1, self.block // (STRIDE * width))
        blocks = []
        for low in range(0, cells, step):
            high = min(low + step, cells)
            first = max(low - _HALO, 0)
            end = min(STRIDE * (high + _HALO), height)
            found = self._maps(images.rows(image, STRIDE * first, end))
            found = found[0, :, low - first : high - first]
            blocks.append(found.permute(1, 2, 0).reshape(-1, self.channels))
        return torch.cat(blocks)

    def _maps(self, pixels: Tensor) -> Tensor:
        maps: Tensor = self.first(pixels)
        for layer in self.layers:
            maps = maps + layer(nn.functional.silu(maps))
        return maps

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.channels})"

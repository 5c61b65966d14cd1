"""The pixels of a batch of images of any size, one after another, as samples hold them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch_geometric.data import Data

from geoinfluencer.errors import InputError


@dataclass(frozen=True)
class PixelImages:
    """P pixels of B images, row by row, and the segments that they belong to.

    Attributes:
        image: RGB.
        segment: node of each pixel, numbered from 0 within its graph.
        size: height and width of each image.
        start: first pixel of each image, and P.
        node_ptr: first node of each graph, and N.
        mean: of the channels of each image.
        scale: standard deviation of each image over its channels, negative where the long tail of
            its levels is the dark one; see :meth:`values`.
    """

    image: Tensor  # (P, 3) uint8
    segment: Tensor  # (P,) int32
    size: Tensor  # (B, 2) int64
    start: Tensor  # (B+1,) int64
    node_ptr: Tensor  # (B+1,) int64
    mean: Tensor  # (B, 3)
    scale: Tensor  # (B,)

    @classmethod
    def of(cls, data: Data) -> PixelImages:
        """The images of a sample or a batch.

        Raises:
            InputError: it has no pixels.
        """
        for name in ("image", "segment_map", "image_size"):
            if data.get(name) is None:
                raise InputError(
                    f"`{name}` is missing, which a model with a stem reads; "
                    "take image samples with data.pixels=true, or model.stem=null"
                )
        size = data.image_size
        start = torch.nn.functional.pad(size.prod(1).cumsum(0), (1, 0))
        ptr = data.get("ptr")
        if ptr is None:
            ptr = torch.tensor([0, int(data.num_nodes or 0)], device=size.device)
        levels = [_levels(data.image[a:b]) for a, b in pairwise(start.tolist())]
        mean, scale = (torch.stack(column) for column in zip(*levels, strict=True))
        return cls(data.image, data.segment_map, size, start, ptr, mean, scale)

    def split(self) -> list[PixelImages]:
        """One object per image."""
        bounds, nodes = self.start.tolist(), self.node_ptr.tolist()
        return [
            PixelImages(
                self.image[a:b], self.segment[a:b], self.size[i : i + 1],
                self.start.new_tensor([0, b - a]),
                self.node_ptr.new_tensor([0, nodes[i + 1] - nodes[i]]),
                self.mean[i : i + 1], self.scale[i : i + 1],
            )
            for i, (a, b) in enumerate(pairwise(bounds))
        ]  # fmt: skip

    def image_of(self, pixel: Tensor) -> Tensor:
        """Image of each pixel, (...) int64."""
        if self.size.shape[0] == 1:
            return torch.zeros_like(pixel)
        return torch.searchsorted(self.start, pixel, right=True) - 1

    def place(self, pixel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Image, row and column of each pixel."""
        image = self.image_of(pixel)
        local, width = pixel - self.start[image], self.size[image, 1]
        row = torch.div(local, width, rounding_mode="floor")
        return image, row, local - row * width

    def around(self, pixel: Tensor, offset: Tensor) -> Tensor:
        """Pixels (n, O) at offsets (rows, columns) of some pixels, held inside their image.

        Shapes:
            pixel (n,), offset (O, 2) or (n, O, 2).
        """
        image, row, column = self.place(pixel)
        last = self.size[image] - 1
        row = (row[:, None] + offset[..., 0]).clamp(min=0).minimum(last[:, :1])
        column = (column[:, None] + offset[..., 1]).clamp(min=0).minimum(last[:, 1:])
        return self.start[image][:, None] + row * self.size[image, 1:] + column

    def node(self, pixel: Tensor) -> Tensor:
        """Node of the batch that each pixel belongs to, (...) int64."""
        return self.segment[pixel].long() + self.node_ptr[self.image_of(pixel)]

    def values(self, pixel: Tensor) -> Tensor:
        """Colours (..., 3) in units of the image's standard deviation around its mean, of the sign
        that makes rare levels positive: bright cells on dark and dark cells on bright look alike.
        """
        image = self.image_of(pixel)
        return (self.image[pixel].float() - self.mean[image]) / self.scale[image][..., None]

    def rows(self, image: int, low: int, high: int) -> Tensor:
        """:meth:`values` of some rows of an image as (1, 3, rows, W), channels last in memory."""
        start, width = int(self.start[image]), int(self.size[image, 1])
        block = self.image[start + low * width : start + high * width].float()
        block = (block - self.mean[image]) / self.scale[image]
        return block.view(1, high - low, width, 3).permute(0, 3, 1, 2)


def _levels(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (3,) and signed scale of the pixels (n, 3) of an image, by its histogram."""
    count = torch.stack([torch.bincount(column, minlength=256) for column in image.unbind(1)])
    share = count.double() / max(image.shape[0], 1)
    level = torch.arange(256, device=image.device, dtype=torch.float64)
    mean = (share * level).sum(1)
    offset = level - mean[:, None]
    # an image of one level has no scale: one level is the unit
    spread = (share * offset.square()).sum(1).mean().sqrt().clamp_min(1.0)
    skew = (share * offset.pow(3)).sum()
    return mean.float(), torch.where(skew < 0, -spread, spread).float()

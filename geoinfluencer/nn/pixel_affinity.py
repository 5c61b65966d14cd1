"""Which of the segments around it a pixel belongs to: the way back from segments to pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.nn.pixel_images import PixelImages
from geoinfluencer.nn.pixel_stem import FeatureMaps

_RINGS = (0.5, 1.0)  # where a pixel looks for segments, in units of a mean segment's width
_FAR = 4.0  # mean areas: beyond, squared distances say no more
_SQUARE = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]


class PixelAffinity(nn.Module):
    r"""Soft assignment of pixels to their own segment and those around it, in the manner of
    superpixel sampling networks (`Jampani et al., ECCV 2018 <https://arxiv.org/abs/1807.10174>`_),
    with keys that the graph encoder made.

    .. math::
        l_{ps} &= \frac{\langle f_p, k_s \rangle}{\sqrt D} + a \, [p \in s]
                 - b \min\Big(\frac{|x_p - c_s|^2}{A}, 4\Big), \\
        g_p &= \frac{\langle f'_p, k'_o \rangle}{\sqrt D} + w_o + w_p

    :math:`f_p, f'_p, w_p` read the stem at the pixel and the 3 x 3 colours around it at full
    resolution, :math:`k_s` the state of a segment, :math:`k'_o, w_o` that of the pixel's own one,
    :math:`c_s` is its centroid and A the mean area of a segment of the image. Candidates s are the
    segments of the pixel itself and of 16 pixels around it, half a mean segment's width away and a
    whole one, each counted once. :math:`l` says which of them the pixel goes with if it is of an
    instance, and :math:`g` whether it is; :func:`~geoinfluencer.losses.pixel_affinity_loss` makes
    probabilities of them.

    Args:
        state_channels (int): size of the node states.
        stem_channels (int): size of the stem's features.
        channels (int): D. (default: 16)

    Shapes:
        - **input:** :class:`FeatureMaps`, states (N, S), centroids (N, 2) x, y in pixels
        - **output:** :class:`PixelReader`
    """

    def __init__(self, state_channels: int, stem_channels: int, *, channels: int = 16) -> None:
        super().__init__()
        self.channels = channels
        self.feature = nn.Sequential(
            nn.Linear(3 * len(_SQUARE) + stem_channels, 2 * channels),
            nn.LayerNorm(2 * channels), nn.SiLU(), nn.Linear(2 * channels, 2 * channels + 1),
        )  # fmt: skip
        self.key = nn.Linear(state_channels, 2 * channels + 1)
        # untrained, pixels stay with their own segment
        self.own = nn.Parameter(torch.tensor(2.0))
        self.nearness = nn.Parameter(torch.tensor(0.5))

    def forward(self, maps: FeatureMaps, state: Tensor, pos: Tensor) -> PixelReader:
        return PixelReader(self, maps, self.key(state), pos)

    def logits(
        self, reader: PixelReader, pixel: Tensor, candidate: Tensor
    ) -> tuple[Tensor, Tensor]:
        """l (n, C) of some pixels for candidates, the own segment first, -inf where one stands
        again; and g (n,)."""
        maps, images, width = reader.maps, reader.maps.images, self.channels
        square = torch.tensor(_SQUARE, device=pixel.device)
        colours = images.values(images.around(pixel, square)).flatten(1)
        feature = self.feature(torch.cat([colours, maps.at(pixel).float()], dim=1))
        key = ops.segment_gather(reader.key.float(), candidate.reshape(-1))
        key = key.view(*candidate.shape, key.shape[1])
        scale = 1 / math.sqrt(width)
        agreement = (key[..., :width] @ feature[:, :width, None])[..., 0] * scale
        image, row, column = images.place(pixel)
        place = torch.stack([column, row], dim=1).to(reader.pos.dtype)
        distance = (reader.pos[candidate] - place[:, None]).square().sum(2)
        distance = (distance / reader.mean_area[image][:, None]).clamp(max=_FAR)
        logits = agreement - self.nearness * distance
        logits = torch.cat([logits[:, :1] + self.own, logits[:, 1:]], dim=1)
        own = key[:, 0]
        inside = (own[:, width:-1] * feature[:, width:-1]).sum(1) * scale
        inside = inside + own[:, -1] + feature[:, -1]
        return logits.masked_fill(_repeated(candidate), -torch.inf), inside

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.channels})"


@dataclass(frozen=True)
class PixelReader:
    """Computes the affinities of any pixels of a batch when they are asked for: there are many
    pixels, and few of them lie where their segments leave a doubt.

    Attributes:
        affinity: the weights.
        maps: the stem's features and the images.
        key: of each segment.
        pos: x, y of its centroid in pixels.
    """

    affinity: PixelAffinity
    maps: FeatureMaps
    key: Tensor  # (N, 2 D + 1)
    pos: Tensor  # (N, 2)

    @property
    def images(self) -> PixelImages:
        """The pixels."""
        return self.maps.images

    @property
    def num_pixels(self) -> int:
        """P, of all images together."""
        return self.images.image.shape[0]

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.key.device

    @property
    def mean_area(self) -> Tensor:
        """(B,) pixels per segment of each image."""
        images = self.images
        return images.size.prod(1) / (images.node_ptr[1:] - images.node_ptr[:-1]).clamp(min=1)

    def candidates(self, pixel: Tensor) -> Tensor:
        """Nodes (n, C) that some pixels may belong to, their own first; others several times."""
        images = self.images
        width = self.mean_area.sqrt()
        steps = [(ring * width).round().clamp(min=1).long() for ring in _RINGS]
        square = torch.tensor([each for each in _SQUARE if each != (0, 0)], device=pixel.device)
        offset = torch.cat([step[:, None, None] * square for step in steps], dim=1)  # (B, 16, 2)
        around = images.around(pixel, offset[images.image_of(pixel)])
        return images.node(torch.cat([pixel[:, None], around], dim=1))

    def logits(self, pixel: Tensor, candidate: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, C) of pixels for their :meth:`candidates`, -inf where one stands again, and
        (n,) of being in any instance."""
        return self.affinity.logits(self, pixel, candidate)

    def random_pixels(self, count: int) -> Tensor:
        """As many pixels of every image, drawn with torch's generator."""
        start, images = self.images.start, self.images.size.shape[0]
        share = torch.rand(images, count, dtype=torch.float64, device=self.device)
        length = start[1:] - start[:-1]
        return (start[:-1, None] + (share * length[:, None]).long()).reshape(-1)

    def split(self) -> list[PixelReader]:
        """One object per image, with node and pixel numbers of its own."""
        bounds = self.images.node_ptr.tolist()
        return [
            PixelReader(self.affinity, maps, self.key[low:high], self.pos[low:high])
            for maps, low, high in zip(self.maps.split(), bounds[:-1], bounds[1:], strict=True)
        ]


def _repeated(candidate: Tensor) -> Tensor:
    """(n, C) True where the same candidate stands further left."""
    ascending, order = candidate.sort(dim=1, stable=True)
    same = nn.functional.pad(ascending[:, 1:] == ascending[:, :-1], (1, 0))
    return torch.empty_like(same).scatter_(1, order, same)

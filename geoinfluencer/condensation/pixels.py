"""Instances of segments and affinities of pixels -> the instance of every pixel."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from geoinfluencer.errors import InputError


class PixelAffinities(Protocol):
    """What :func:`decode_pixels` reads; a
    :class:`~geoinfluencer.nn.pixel_affinity.PixelReader` of one image has it."""

    @property
    def num_pixels(self) -> int:
        """P."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    def candidates(self, pixel: Tensor) -> Tensor:
        """(n, C) segments that some pixels may belong to."""

    def logits(self, pixel: Tensor, candidate: Tensor) -> tuple[Tensor, Tensor]:
        """(n, C) logits for them, -inf = not to be had, and (n,) of being in any instance."""


def likeliest_instance(logits: Tensor, inside: Tensor, candidate_instance: Tensor) -> Tensor:
    r"""Background, or the instance whose candidate segments have the largest probability together.

    .. math::
        \hat t_p = \arg\max_{t \ge 0} \sum_{s:\, t_s = t} \mathrm{softmax}_s \, l_{ps}
        \quad \text{where } g_p > 0

    Segments without an instance (-1) have no part in that; -1 where there is no other. Of equal
    ones the instance that stands first among the candidates wins.

    Args:
        logits: l, of pixels for their candidates; -inf = not to be had.
        inside: g, of being in any instance.
        candidate_instance: instance of each candidate.

    Shapes:
        logits, candidate_instance (P, C), inside (P,) -> (P,).
    """
    shape = logits.shape
    if candidate_instance.shape != shape or len(shape) != 2 or not shape[1]:
        raise InputError(
            f"logits has shape {tuple(shape)}, candidate_instance "
            f"{tuple(candidate_instance.shape)}; expected (P, C), (P, C) with C above 0"
        )
    logits = logits.float().masked_fill(candidate_instance < 0, -torch.inf)
    any_instance = torch.isfinite(logits).any(1)
    share = (logits - logits.amax(1, keepdim=True).nan_to_num(neginf=0.0)).exp()
    same = candidate_instance[:, :, None] == candidate_instance[:, None, :]
    total = (same * share[:, None, :]).sum(2).masked_fill(candidate_instance < 0, -1.0)
    best = candidate_instance.gather(1, total.argmax(1, keepdim=True))[:, 0]
    return torch.where((inside > 0) & any_instance, best, torch.full_like(best, -1))


@torch.no_grad()
def decode_pixels(pixels: PixelAffinities, instance: Tensor, *, block: int = 2**16) -> Tensor:
    """The instance of every pixel of an image, from those of its segments.

    Affinities are computed only where the candidates of a pixel are of different instances.

    Args:
        pixels: the affinities of one image.
        instance: of each segment, -1 = none.
        block: pixels at a time.

    Shapes:
        instance (N,) -> (P,).
    """
    device = pixels.device
    instance = instance.to(device)
    found = torch.empty(pixels.num_pixels, dtype=instance.dtype, device=device)
    for low in range(0, pixels.num_pixels, block):
        pixel = torch.arange(low, min(low + block, pixels.num_pixels), device=device)
        candidate = pixels.candidates(pixel)
        of_candidate = instance[candidate]
        found[pixel] = of_candidate[:, 0]
        open_ = (of_candidate != of_candidate[:, :1]).any(1)
        if bool(open_.any()):
            logits, inside = pixels.logits(pixel[open_], candidate[open_])
            found[pixel[open_]] = likeliest_instance(logits, inside, of_candidate[open_])
    return found

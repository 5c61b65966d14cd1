"""Stems by name: pixels in, features of cells out; a model's configuration chooses one."""

from __future__ import annotations

from torch import nn

from geoinfluencer.errors import InputError
from geoinfluencer.nn.backbone_stem import BackboneStem
from geoinfluencer.nn.pixel_stem import PixelStem

STEMS = ("conv", "timm")


def build_stem(
    name: str | None, channels: int, *, backbone: str, pretrained: bool, frozen: bool
) -> nn.Module | None:
    """The stem called ``name``; None for None.

    Args:
        name: ``"conv"``: :class:`~geoinfluencer.nn.pixel_stem.PixelStem`; ``"timm"``:
            :class:`~geoinfluencer.nn.backbone_stem.BackboneStem`.
        channels: features of a cell.
        backbone, pretrained, frozen: of ``"timm"``.

    Raises:
        InputError: unknown name, or timm cannot make the backbone.
    """
    if name is None:
        return None
    if name not in STEMS:
        raise InputError(f"model.stem is {name!r}; choose {', '.join(STEMS)} or null")
    if name == "conv":
        return PixelStem(channels)
    return BackboneStem(channels, backbone=backbone, pretrained=pretrained, frozen=frozen)

"""Stems by name: pixels in, features of cells out; a model's configuration chooses one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from geoinfluencer.errors import InputError
from geoinfluencer.nn.backbone_stem import BackboneStem
from geoinfluencer.nn.pixel_stem import PixelStem

STEMS = ("conv", "timm")


def check_backbone(options: Mapping[str, Any]) -> None:
    """Raises InputError if a backbone would stay at the random weights that it is made with.

    Args:
        options: of a model that no weights will be loaded into.
    """
    if (
        options.get("stem") == "timm"
        and options.get("frozen")
        and not options.get("pretrained", True)
    ):
        raise InputError(
            "model.frozen=true with model.pretrained=false would keep the backbone's random "
            "weights; take model.pretrained=true or model.frozen=false"
        )


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

"""A backbone of the library timm over the pixels, beside the few convolutions of the stem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from geoinfluencer.errors import InputError
from geoinfluencer.nn.pixel_images import PixelImages
from geoinfluencer.nn.pixel_stem import STRIDE, FeatureMaps, PixelStem

# mean and standard deviation of ImageNet's channels, for backbones that do not say theirs
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class BackboneStem(nn.Module):
    r"""A convolutional backbone of `timm <https://github.com/huggingface/pytorch-image-models>`_,
    whose levels are added up on the cells of a :class:`~geoinfluencer.nn.pixel_stem.PixelStem`.

    .. math:: u = S(\hat v) + \sum_l \uparrow \big( W_l F_l(v) \big)

    S is the stem, which sees the borders that a backbone blurs, :math:`F_l` are the levels of the
    backbone, which reads the colours as it was trained to, :math:`W_l` takes each to C channels and
    the arrow enlarges it to cells of two pixels, linear between its own: cell j of a level of
    stride s is taken to be centred on pixel s j, which is true of padded strides, and of patch
    embeddings off by half a patch. Statistics of batch normalisation stay those of the
    pre-training, so that the features of an image do not depend on those beside it; without
    pre-training there are none to keep, and they are fitted. An image goes through the backbone
    whole: of ``resnet18`` 12 megapixels take several GB.

    Args:
        channels (int): C. (default: 16)
        backbone (str): name in timm of a convolutional model. (default: ``"resnet18"``)
        pretrained (bool): with its weights, which timm downloads once and keeps.
            (default: :obj:`True`)
        frozen (bool): the backbone is not trained. (default: :obj:`False`)

    Shapes:
        - **input:** :class:`PixelImages`
        - **output:** :class:`FeatureMaps`, values (Q, C)

    Raises:
        InputError: timm is missing, knows no such model, or cannot get its weights.
    """

    mean: Tensor
    std: Tensor
    pinned: Tensor  # (,) whether statistics stay: in checkpoints, which know what they began with

    def __init__(
        self,
        channels: int = 16,
        *,
        backbone: str = "resnet18",
        pretrained: bool = True,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.name, self.channels, self.frozen = backbone, channels, frozen
        self.fine = PixelStem(channels)
        self.backbone = create_backbone(backbone, pretrained)
        info: Any = self.backbone.feature_info
        self.multiple = max(STRIDE, *info.reduction())  # of pixels, that no level rounds its size
        self.levels = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in info.channels())
        norms = getattr(self.backbone, "pretrained_cfg", None) or {}
        for name, known in (("mean", _MEAN), ("std", _STD)):
            value = torch.tensor(norms.get(name) or known, dtype=torch.float32)
            self.register_buffer(name, value.view(1, 3, 1, 1))
        self.register_buffer("pinned", torch.tensor(int(pretrained), dtype=torch.uint8))
        self.backbone.requires_grad_(not frozen)
        self.train()

    def train(self, mode: bool = True) -> BackboneStem:
        """All but the backbone where its statistics stay."""
        super().train(mode)
        if self.frozen or bool(self.pinned):
            self.backbone.eval()
        return self

    def forward(self, images: PixelImages) -> FeatureMaps:
        maps: FeatureMaps = self.fine(images)
        wide = [self._of_image(images, i, *each) for i, each in enumerate(images.size.tolist())]
        return replace(maps, values=maps.values + torch.cat(wide))

    def _of_image(self, images: PixelImages, image: int, height: int, width: int) -> Tensor:
        start = int(images.start[image])
        pixels = images.image[start : start + height * width].view(1, height, width, 3)
        values = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        right, below = (-side % self.multiple for side in (width, height))
        if self.backbone.training and max(width, height) <= self.multiple:
            right += self.multiple  # a single cell has no statistics
        values = nn.functional.pad(values, (0, right, 0, below))
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            found = self.backbone(values)
        if getattr(self.backbone, "output_fmt", "NCHW") == "NHWC":
            found = [level.permute(0, 3, 1, 2) for level in found]
        size = (values.shape[2], values.shape[3])
        wide = [
            _on_cells(convert(level), size)
            for convert, level in zip(self.levels, found, strict=True)
        ]
        rows, columns = (-(-side // STRIDE) for side in (height, width))
        total = torch.stack(wide).sum(0)[0, :, :rows, :columns]
        return total.permute(1, 2, 0).reshape(-1, self.channels)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        if any(name.startswith(f"{prefix}backbone.") for name in state_dict):
            # older checkpoints do not say; the statistics in all of them stayed
            state_dict.setdefault(f"{prefix}pinned", torch.ones_like(self.pinned))
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self.train(self.training)

    def __repr__(self) -> str:
        state = "frozen" if self.frozen else "trained"
        return f"{type(self).__name__}({self.channels}, {self.name}, {state})"


def _on_cells(
    level: Tensor,  # (1, C, h, w)
    size: tuple[int, int],  # H, W in pixels
) -> Tensor:
    """A level at pixels 0, 2, ... H and W, linear between its cells, the last of which goes on."""
    longer = nn.functional.pad(level, (0, 1, 0, 1), mode="replicate")
    cells = [side // STRIDE + 1 for side in size]
    return nn.functional.interpolate(longer, cells, mode="bilinear", align_corners=True)


def create_backbone(name: str, pretrained: bool) -> nn.Module:
    """The levels of a model of timm as a module.

    Raises:
        InputError: timm is missing, knows no such model, or cannot get its weights.
    """
    try:
        import timm
    except ImportError as error:
        raise InputError(
            f"model.stem timm needs the package timm ({error}): pip install 'geoinfluencer[timm]', "
            "or take model.stem=conv"
        ) from error
    try:
        module: nn.Module = timm.create_model(name, features_only=True, pretrained=pretrained)
    except Exception as error:  # timm and its downloads raise many kinds
        first = " ".join(str(error).split())[:160]
        remedy = "name one of timm.list_models() that gives features"
        if pretrained:
            remedy += ", or take model.pretrained=false where its weights cannot be downloaded"
        raise InputError(
            f"model.backbone {name} cannot be made ({type(error).__name__}: {first}); {remedy}"
        ) from error
    return module

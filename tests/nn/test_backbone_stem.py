"""Backbones as stems, against a stand-in for timm that has what is asked of it."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.nn.backbone_stem import BackboneStem
from geoinfluencer.nn.pixel_images import PixelImages
from geoinfluencer.nn.stems import build_stem, check_backbone
from geoinfluencer.training import train
from geoinfluencer.training.checkpoint import load_checkpoint


class Info:
    """As ``timm.models.FeatureInfo``."""

    def channels(self) -> list[int]:
        return [5, 7]

    def reduction(self) -> list[int]:
        return [4, 8]


class Levels(nn.Module):
    """As what ``timm.create_model(..., features_only=True)`` gives; "pre-trained", channel 0 of the
    first level is the mean of the 48 values of its patch."""

    def __init__(self, pretrained: bool, output_fmt: str) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 5, 4, stride=4)
        self.norm = nn.BatchNorm2d(5, eps=1e-12)
        self.second = nn.Sequential(nn.Conv2d(5, 7, 2, stride=2), nn.BatchNorm2d(7))
        self.feature_info = Info()
        self.pretrained_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
        self.output_fmt = output_fmt
        if pretrained:
            nn.init.constant_(self.first.weight, 1 / 48)
            nn.init.zeros_(self.first.bias)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        first = self.norm(self.first(pixels))
        found = [first, self.second(first)]
        if self.output_fmt == "NHWC":
            found = [level.permute(0, 2, 3, 1) for level in found]
        return found


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The stand-in; ``asked`` lists what models were made."""
    module: Any = types.ModuleType("timm")
    module.asked, module.output_fmt = [], "NCHW"

    def create_model(name: str, *, features_only: bool, pretrained: bool) -> nn.Module:
        assert features_only
        module.asked.append((name, pretrained))
        if name == "resnet1":
            raise RuntimeError("Unknown model (resnet1)\nin the registry")
        if name == "offline" and pretrained:
            raise ConnectionError("no route to host")
        return Levels(pretrained, module.output_fmt)

    module.create_model = create_model
    monkeypatch.setitem(sys.modules, "timm", module)
    return module


def images(*sizes: tuple[int, int]) -> PixelImages:
    return PixelImages.of(Batch.from_data_list([sample(*size) for size in sizes]))


def sample(height: int, width: int) -> Data:
    generator = torch.Generator().manual_seed(height * 100 + width)
    image = torch.randint(0, 256, (height * width, 3), generator=generator, dtype=torch.uint8)
    segment = torch.zeros(height * width, dtype=torch.int32)
    size = torch.tensor([[height, width]])
    return Data(x=torch.zeros(1, 1), image=image, segment_map=segment, image_size=size)


def alone(stem: BackboneStem) -> BackboneStem:
    """The stem with nothing but channel 0 of the first level, in all its channels."""
    with torch.no_grad():
        for part in (stem.fine, stem.levels):
            for parameter in part.parameters():
                parameter.zero_()
        stem.levels[0].weight[:, 0] = 1.0
    return stem


@pytest.mark.parametrize("output_fmt", ["NCHW", "NHWC"])
def test_levels_are_enlarged_to_cells(timm: Any, output_fmt: str) -> None:
    timm.output_fmt = output_fmt
    data = sample(8, 16)
    columns = torch.tensor([255, 0]).repeat_interleave(8)  # the left half is white
    data.image = columns[None, :, None].expand(8, 16, 3).reshape(-1, 3).to(torch.uint8)
    found = alone(BackboneStem(3))(PixelImages.of(data))
    # (1 - .5) / .25 = 2 and (0 - .5) / .25 = -2, at pixels 0 and 4, 8 and 12
    row = torch.tensor([2.0, 2, 2, 0, -2, -2, -2, -2])
    assert found.size.tolist() == [[4, 8]]
    torch.testing.assert_close(found.values, row.repeat(4)[:, None].expand(32, 3))


class Sampled(nn.Module):
    """Levels that are every s-th pixel: what nets of padded strides are centred on."""

    def __init__(self, *strides: int) -> None:
        super().__init__()
        self.strides = strides
        self.feature_info = types.SimpleNamespace(
            channels=lambda: [3] * len(strides), reduction=lambda: list(strides)
        )

    def forward(self, pixels: Tensor) -> list[Tensor]:
        return [pixels[..., ::stride, ::stride] for stride in self.strides]


@pytest.mark.parametrize("strides", [(2,), (4,), (2, 4, 16)])
def test_levels_lie_where_their_pixels_are(timm: Any, strides: tuple[int, ...]) -> None:
    timm.create_model = lambda *_, **__: Sampled(*strides)
    height, width = 33, 49  # their last cells are pixels of every level
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    ramps = torch.stack([4 * y, 5 * x, 250 - 2 * y - 3 * x], dim=2)
    data = sample(height, width)
    data.image = ramps.reshape(-1, 3).to(torch.uint8)
    stem = BackboneStem(3)
    with torch.no_grad():
        for parameter in (*stem.fine.parameters(), *stem.levels.parameters()):
            parameter.zero_()
        for level in stem.levels:
            level.weight[:, :, 0, 0] = torch.eye(3) / len(strides)
    found = stem(PixelImages.of(data)).values.view(17, 25, 3) * stem.std.view(3)
    found = (found + stem.mean.view(3)) * 255
    torch.testing.assert_close(found, ramps[::2, ::2].float(), atol=1e-3, rtol=0)


def test_the_convolutions_of_the_stem_are_added(timm: Any) -> None:
    torch.manual_seed(0)
    stem, given = BackboneStem(3), images((9, 13))
    before = stem.fine(given).values
    for level in stem.levels:
        nn.init.zeros_(level.weight)
        nn.init.zeros_(level.bias)
    torch.testing.assert_close(stem(given).values, before)


def test_images_of_any_size_have_their_own_features(timm: Any) -> None:
    torch.manual_seed(0)
    stem, sizes = BackboneStem(4), ((5, 7), (33, 18), (1, 2))
    assert stem.training and not stem.backbone.training
    parts = stem(images(*sizes)).split()
    assert [part.size.tolist() for part in parts] == [[[3, 4]], [[17, 9]], [[1, 1]]]
    for part, size in zip(parts, sizes, strict=True):
        torch.testing.assert_close(part.values, stem(images(size)).values)
    assert (stem.backbone.norm.running_mean == 0).all()
    assert not stem.eval().training and stem.train().fine.training


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_backbone_gets_no_gradients(timm: Any, frozen: bool) -> None:
    stem = BackboneStem(4, frozen=frozen)
    stem(images((16, 16))).values.square().sum().backward()
    gradients = {name: p.grad is not None for name, p in stem.named_parameters()}
    of_backbone = {name for name in gradients if name.startswith("backbone.")}
    assert len(of_backbone) == 8
    assert {name for name, there in gradients.items() if not there} == (
        of_backbone if frozen else set()
    )


def test_statistics_without_pre_training_are_fitted(timm: Any) -> None:
    stem = BackboneStem(4, pretrained=False)
    assert stem.backbone.training
    stem(images((16, 16)))
    assert stem(images((3, 8))).size.tolist() == [[2, 4]]  # of one cell of the second level
    fitted = stem.backbone.norm.running_mean.clone()
    assert (fitted != 0).any()
    stem.eval()(images((8, 24)))
    assert torch.equal(stem.backbone.norm.running_mean, fitted) and not stem.backbone.training
    assert not BackboneStem(4, pretrained=False, frozen=True).backbone.training


def test_a_checkpoint_knows_whether_its_statistics_stay(timm: Any) -> None:
    for pretrained in (True, False):
        weights = BackboneStem(4, pretrained=pretrained).state_dict()
        again = BackboneStem(4, pretrained=False)  # as a model for stored weights is made
        again.load_state_dict(weights)
        assert again.training and again.backbone.training is not pretrained
        assert again.eval().train().backbone.training is not pretrained
    del weights["pinned"]  # of before: they always stayed
    again.load_state_dict(weights)
    assert again.fine.training and not again.backbone.training


def test_random_weights_are_not_frozen(timm: Any, tmp_path: Path) -> None:
    random = {"stem": "timm", "pretrained": False, "frozen": True}
    for harmless in ({"stem": "conv"}, {"pretrained": True}, {"frozen": False}):
        check_backbone(random | harmless)
    check_backbone({"stem": "timm", "frozen": True})
    settings = ["data.pixels=true", *(f"model.{k}={str(v).lower()}" for k, v in random.items())]
    with pytest.raises(InputError, match="would keep the backbone's random weights") as caught:
        train("shapes", assignments=settings, out=tmp_path / "run")
    assert "\n" not in str(caught.value) and not (tmp_path / "run").exists() and not timm.asked


def test_stems_by_name(timm: Any) -> None:
    options: dict[str, Any] = {"backbone": "convnet", "pretrained": False, "frozen": True}
    assert build_stem(None, 4, **options) is None
    assert repr(build_stem("conv", 4, **options)) == "PixelStem(4)" and not timm.asked
    assert repr(build_stem("timm", 4, **options)) == "BackboneStem(4, convnet, frozen)"
    assert timm.asked == [("convnet", False)]
    with pytest.raises(InputError, match="model.stem is 'unet'; choose conv, timm or null"):
        build_stem("unet", 4, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "resnet1", "pretrained": False}, r"RuntimeError: Unknown model \(resnet1\)"),
        ({"backbone": "offline"}, r"no route to host.*model\.pretrained=false"),
    ],
)
def test_backbones_that_cannot_be_had(timm: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        BackboneStem(4, **options)
    assert "\n" not in str(caught.value) and options["backbone"] in str(caught.value)


def test_without_timm_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match=r"pip install 'geoinfluencer\[timm\]'") as caught:
        BackboneStem(4)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("loss", ["influencer", "mask-influencer"])
def test_checkpoints_hold_the_backbone(timm: Any, tmp_path: Path, loss: str) -> None:
    pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")
    settings = [
        f"loss.name={loss}", "data.pixels=true", "model.stem=timm", "model.hidden_channels=8",
        "model.num_layers=1", "data.train_images=2", "data.calib_images=1", "data.val_images=1",
        "data.height=40", "data.width=48", "data.graph.n_segments=40", "train.batch_size=1",
        "train.learning_rate=0.01", "train.workers=0", "train.accelerator=cpu",
    ]  # fmt: skip
    run = train("shapes", assignments=settings, max_steps=2, out=tmp_path / "run")
    assert timm.asked == [("resnet18", True), ("resnet18", False)]  # the second to score best.ckpt
    stored = load_checkpoint(run.best)
    weight = stored.weights["stem.backbone.first.weight"]
    assert not torch.equal(weight, torch.full_like(weight, 1 / 48))  # it was trained
    model: Any = stored.build_model()
    assert torch.equal(model.stem.backbone.first.weight, weight)
    train("shapes", resume=run.path / "checkpoints" / "last.ckpt", max_steps=3)
    assert timm.asked.count(("resnet18", True)) == 1
    weights = load_checkpoint(run.best).weights
    assert weights["stem.pinned"] == 1 and (weights["stem.backbone.norm.running_mean"] == 0).all()

"""The pixel-embedding baseline: samples, loss, training, resumption."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Subset
from torch_geometric.data import Batch, Data

from geoinfluencer.datasets.shapes import Shapes
from geoinfluencer.datasets.toy_tracks import ToyTracks
from geoinfluencer.errors import InputError
from geoinfluencer.losses import DiscriminativeLoss
from geoinfluencer.models.pixel_embedder import PixelEmbedder
from geoinfluencer.training.checkpoint import META_KEY, load_checkpoint
from geoinfluencer.training.fitting.control import RunControl
from geoinfluencer.training.pixel_baseline.calibration import RADII
from geoinfluencer.training.pixel_baseline.grouping import PixelGrouper
from geoinfluencer.training.pixel_baseline.objective import PixelObjective
from geoinfluencer.training.pixel_baseline.run import BaselineRun, pixel_baseline
from geoinfluencer.training.pixel_baseline.samples import PixelSamples, to_input
from geoinfluencer.training.pixel_baseline.settings import PixelSettings
from geoinfluencer.training.pixel_baseline.stored import load_embedder
from geoinfluencer.training.pixel_baseline.unlearned import watershed_baseline
from geoinfluencer.training.run import Interrupted

pytest.importorskip("sklearn", reason="needs the extra geoinfluencer[baselines]")
pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")

CPU = torch.device("cpu")
SMALL = (
    "data.train_images=6", "data.calib_images=2", "data.val_images=2", "data.height=40",
    "data.width=48", "data.max_shapes=3",
)  # fmt: skip
SETTINGS: dict[str, Any] = {"num_workers": 0, "width": 4, "crop": 32, "accelerator": "cpu"}


def shapes(split: str = "val", **options: Any) -> Shapes:
    return Shapes(None, split, height=40, width=48, max_shapes=3, **options)


def baseline(out: Path, *, resume: str | None = None, **settings: Any) -> BaselineRun:
    chosen = PixelSettings(**{**SETTINGS, **settings})
    return pixel_baseline("shapes", settings=chosen, assignments=SMALL, out=out, resume=resume)


def two_shapes() -> tuple[np.ndarray, np.ndarray]:
    """A (48, 56, 3) image of a disc and a bar, and (48, 56) which is which, -1 = none."""
    y, x = np.mgrid[:48, :56]
    instance = np.full((48, 56), -1)
    instance[(y - 20) ** 2 + (x - 16) ** 2 < 121] = 0
    instance[30:44, 32:52] = 1
    colours = np.array([[40, 40, 40], [200, 80, 60], [60, 120, 220]])
    noise = np.random.default_rng(0).integers(-15, 16, (48, 56, 3))
    return (colours[instance + 1] + noise).astype(np.uint8), instance


def sample_of(image: np.ndarray, instance: np.ndarray) -> Batch:
    truth = torch.from_numpy(instance)[None]
    data = Data(
        image=to_input(image)[None], instance=truth, ignore=torch.zeros_like(truth).bool(),
        num_nodes=truth.numel(),
    )  # fmt: skip
    return Batch.from_data_list([data])


def overfitted(normalise: bool, steps: int = 60) -> tuple[PixelEmbedder, Batch]:
    image, instance = two_shapes()
    model = PixelEmbedder(width=8, depth=3, normalise=normalise)
    objective, batch = PixelObjective(normalise=normalise), sample_of(image, instance)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        objective(model(batch), batch).total.backward()
        optimiser.step()
    return model.eval(), batch


@pytest.mark.parametrize("normalise", [False, True])
def test_two_shapes_are_learned_in_sixty_steps(normalise: bool) -> None:
    model, batch = overfitted(normalise)
    image, instance = two_shapes()
    label, score = PixelGrouper(model, CPU).masks(image)
    for k in (0, 1):
        best = max(
            ((label == j) & (instance == k)).sum() / ((label == j) | (instance == k)).sum()
            for j in range(len(score))
        )
        assert best > 0.9
    embedding = model(batch).embedding
    assert torch.allclose(embedding.norm(dim=1), torch.ones(1), atol=1e-5) is normalise


def test_what_is_clustered_is_what_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained as they are and clustered at length 1, or the other way round, is the known trap."""
    image, instance = two_shapes()
    batch = sample_of(image, np.where(instance >= 0, instance, 0))  # every pixel is of an object
    for normalise in (False, True):
        model = PixelEmbedder(width=4, depth=2, normalise=normalise).eval()
        model.net.head.bias.data[-1] = 100.0  # and is said to be
        trained, clustered = [], []
        real = DiscriminativeLoss.forward

        def spy(self: Any, x: torch.Tensor, *rest: Any, **named: Any) -> Any:
            trained.append(x.detach())  # noqa: B023
            return real(self, x, *rest, **named)  # noqa: B023

        def cluster(embedding: torch.Tensor, **_: Any) -> torch.Tensor:
            clustered.append(embedding)  # noqa: B023
            return torch.zeros(len(embedding), dtype=torch.int64)

        with monkeypatch.context() as patch:
            patch.setattr(DiscriminativeLoss, "forward", spy)
            patch.setattr("geoinfluencer.training.pixel_baseline.grouping.cluster_pixels", cluster)
            PixelObjective(normalise=normalise)(model(batch), batch)
            PixelGrouper(model, CPU).masks(image)
        assert torch.allclose(trained[0], clustered[0], atol=1e-5)
        lengths = trained[0].norm(dim=1)
        assert torch.allclose(lengths, torch.ones(1), atol=1e-5) is normalise


def test_a_checkpoint_knows_whether_it_normalises(tmp_path: Path) -> None:
    run = baseline(tmp_path / "run", epochs=1, normalise=True)
    model, _ = load_embedder(run.path / "ckpt_best.pt")
    found = model(Data(image=torch.randn(1, 3, 20, 20))).embedding
    assert torch.allclose(found.norm(dim=1), torch.ones(1), atol=1e-5)
    assert run.metrics["normalise"] is True


def test_a_run_leaves_checkpoints_and_scores(tmp_path: Path) -> None:
    run = baseline(tmp_path / "run", epochs=4, eval_every=2, batch_size=3)
    steps = {n: load_checkpoint(run.path / f"ckpt_{n}.pt").state.step for n in ("last", "final")}
    assert steps == {"last": 8, "final": 8}  # two steps an epoch
    state = load_checkpoint(run.path / "ckpt_best.pt").state
    rows = (run.path / "logs" / "val.csv").read_text().splitlines()
    names, *values = (row.split(",") for row in rows)
    losses = {int(row[0]): float(row[names.index("val/val_loss")]) for row in values}
    assert sorted(losses) == [4, 8] and losses[state.step] == min(losses.values())
    written = json.loads((run.path / "metrics.json").read_text())
    assert written["num_images"] == 2 and written["method"] == "unet" and written["steps"] == 8
    assert written["val_loss"] == pytest.approx(min(losses.values()))
    entries = json.loads((run.path / "coco_results.json").read_text())
    assert len(entries) == written["num_detections"]


def test_max_steps_shortens_an_epoch(tmp_path: Path) -> None:
    run = baseline(tmp_path / "run", epochs=3, max_steps=1)
    assert run.metrics["steps"] == 3
    assert PixelSettings(max_steps=0).steps_of_epoch(7) == 4
    assert PixelSettings(max_steps=9).steps_of_epoch(7) == 4


def test_a_resumed_run_ends_as_if_it_had_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = baseline(tmp_path / "whole", epochs=3)
    decide = RunControl._decide
    with monkeypatch.context() as patch:

        def stopping(self: RunControl, trainer: Any, module: Any, step: int) -> Any:
            if step == 4:
                self._on_signal(2, None)
            return decide(self, trainer, module, step)

        patch.setattr(RunControl, "_decide", stopping)
        with pytest.raises(Interrupted):
            baseline(tmp_path / "parts", epochs=3)
    assert load_checkpoint(tmp_path / "parts" / "ckpt_last.pt").state.step == 4
    parts = baseline(tmp_path / "parts", epochs=3, resume="auto")
    for name in ("ckpt_final.pt", "ckpt_best.pt"):
        one, other = (load_checkpoint(run.path / name).weights for run in (whole, parts))
        assert one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
    assert whole.metrics["val_loss"] == parts.metrics["val_loss"]


def test_what_a_resumed_run_refuses(tmp_path: Path) -> None:
    run = baseline(tmp_path / "run", epochs=1)
    last = str(run.path / "ckpt_last.pt")
    for settings, message in (
        ({"epochs": 1}, "has run its 3 steps; raise --epochs"),
        ({"epochs": 2, "seed": 1}, "was started with seed 0, not 1"),
        ({"epochs": 2, "embedding_dim": 4}, "is a run with other settings of model"),
    ):
        with pytest.raises(InputError, match=message):
            baseline(run.path, resume=last, **settings)
    with pytest.raises(InputError, match="--resume auto: name the folder"):
        pixel_baseline("shapes", assignments=SMALL, resume="auto")


def test_a_key_that_the_dataset_has_had_since_is_no_other_setting(tmp_path: Path) -> None:
    last = baseline(tmp_path / "run", epochs=1).path / "ckpt_last.pt"
    content = torch.load(last, weights_only=True)
    data = content[META_KEY]["config"]["data"]
    del data["noise"], data["graph"]["scale"]
    torch.save(content, last)
    assert baseline(last.parent, epochs=2, resume="auto").metrics["steps"] == 6
    data["height"] = 44
    torch.save(content, last)
    with pytest.raises(InputError, match="is a run with other settings of data"):
        baseline(last.parent, epochs=3, resume="auto")


def test_weights_of_another_net_are_refused(tmp_path: Path) -> None:
    last = baseline(tmp_path / "run", epochs=1).path / "ckpt_last.pt"
    content = torch.load(last, weights_only=True)
    del content["state_dict"]["model.net.head.bias"]
    torch.save(content, last)
    with pytest.raises(InputError, match=r"layers were others .*train again"):
        baseline(last.parent, epochs=2, resume="auto")


def test_samples_are_the_images_of_the_dataset() -> None:
    dataset = shapes()
    whole = PixelSamples(dataset)
    code = dataset.truth(1).code
    assert torch.equal(whole[1].instance[0] + 2, torch.from_numpy(np.where(code, code, 1)).long())
    assert not whole[1].ignore.any() and whole[1].image.shape == (1, 3, 40, 48)
    assert abs(float(whole[1].image.mean())) < 1e-5
    assert torch.equal(PixelSamples(Subset(dataset, [1]))[0].instance, whole[1].instance)


def test_crops_keep_image_and_truth_together() -> None:
    dataset = shapes()
    whole = PixelSamples(dataset)[0]
    samples = PixelSamples(dataset, crop=24, mirror=True, turn=True)
    seen = set()
    for seed in range(12):
        torch.manual_seed(seed)
        crop = samples[0]
        views = itertools.product((False, True), range(4), range(17), range(25))
        matches = [view for view in views if torch.equal(_view(whole.image, *view), crop.image)]
        assert len(matches) == 1
        seen.add(matches[0][:2])
        assert torch.equal(_view(whole.instance, *matches[0]), crop.instance)
    assert len(seen) > 3


def _view(pixels: torch.Tensor, mirror: bool, turns: int, row: int, column: int) -> torch.Tensor:
    part = pixels[..., row : row + 24, column : column + 24]
    return torch.rot90(part.flip(-1) if mirror else part, turns, (-2, -1))


def test_what_is_outside_of_the_image_is_ignored() -> None:
    sample = PixelSamples(shapes(), crop=50)[0]
    inside = torch.zeros(1, 50, 50, dtype=torch.bool)
    inside[:, :40, :48] = True
    assert torch.equal(sample.ignore, ~inside) and (sample.instance[~inside] == -1).all()


def test_ignored_pixels_and_images_without_objects() -> None:
    objective, model = PixelObjective(), PixelEmbedder(width=2, depth=1)
    image, instance = two_shapes()
    batch = sample_of(image, instance)
    batch.ignore[:, :24] = True
    changed = sample_of(image, instance)
    changed.ignore[:, :24] = True
    changed.instance[:, :24] = 5
    outputs = model(batch)
    for name, value in objective(outputs, batch).items():
        assert torch.equal(value, objective(outputs, changed)[name]), name
    empty = sample_of(image, np.full_like(instance, -1))
    terms = objective(model(empty), empty)
    assert terms["attraction"].item() == 0 and terms["foreground"].item() > 0
    terms.total.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_other_data_is_refused() -> None:
    with pytest.raises(InputError, match="ToyTracks is no set of images"):
        PixelSamples(ToyTracks(split="val"))
    with pytest.raises(InputError, match="takes settings of data alone"):
        pixel_baseline("shapes", assignments=["train.max_steps=3"])
    with pytest.raises(InputError, match="epochs must be at least 1, got 0"):
        PixelSettings(epochs=0)
    with pytest.raises(InputError, match="crop must be at least 32 pixels, got 8"):
        PixelSettings(crop=8)
    with pytest.raises(InputError, match="learning_rate"):
        baseline(Path("unwritten"), lr=-1.0)
    assert not Path("unwritten").exists()


def test_the_watershed_needs_no_training(tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="needs the extra geoinfluencer[baselines]")
    run = watershed_baseline("shapes", assignments=SMALL, out=tmp_path / "shed")
    written = json.loads((tmp_path / "shed" / "metrics.json").read_text())
    assert written["ap"] == run.metrics["ap"] and written["method"] == "watershed"
    assert {"spread", "apart"} <= set(written) and written["num_images"] == 2


def test_another_split_is_scored_on_request(tmp_path: Path) -> None:
    few = ("data.test_images=3",)
    chosen = PixelSettings(**SETTINGS, epochs=1)
    run = pixel_baseline(
        "shapes", settings=chosen, assignments=SMALL + few, split="test", out=tmp_path / "run"
    )
    assert (run.metrics["split"], run.metrics["num_images"]) == ("test", 3)
    assert run.metrics["radius"] in RADII and run.metrics["min_size"] == 16
    shed = watershed_baseline(
        "shapes", assignments=SMALL + few, split="test", out=tmp_path / "shed"
    )
    assert (shed.metrics["split"], shed.metrics["num_images"]) == ("test", 3)

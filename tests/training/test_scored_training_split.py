"""Samples of the training split that are scored come as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError
from geoinfluencer.training import evaluate, train
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.data import build_dataset

SMALL = {
    "shapes": {"mirror": True, "turn": True},
    "synthetic-charts": {"mirror": True},
    "toy-tracks": {},
    "synthetic-rooms": {},
}


@pytest.mark.parametrize("name", sorted(SMALL))
def test_training_samples_stand_still_when_scored(name: str) -> None:
    config = resolve_config(name, preset="quick", config={"data": SMALL[name]})
    samples = build_dataset(resolve_dataset(name), config, "train")

    def views() -> list[torch.Tensor]:
        return [samples[0].x for _ in range(6)]

    def same(found: list[torch.Tensor]) -> bool:
        return all(x.shape == found[0].shape and torch.equal(x, found[0]) for x in found)

    assert not same(views())
    samples.use_for_scoring()
    assert same(views())
    if name in ("shapes", "synthetic-charts"):
        assert samples[0].segment_map is not None


def test_scores_of_training_images_are_of_the_images_as_they_are(tmp_path: Path) -> None:
    settings = ["data.train_images=4", "data.turn=true"]
    train("shapes", preset="quick", max_steps=2, assignments=settings, out=tmp_path / "run")
    best = tmp_path / "run/checkpoints/best.ckpt"
    first = evaluate(best, split="train", out=tmp_path / "a")
    again = evaluate(best, split="train")
    assert first["ap"] == again["ap"] and first["pq"] == again["pq"]
    assert first["ceiling_ap"] > 0.5  # of turned images next to nothing
    assert (tmp_path / "a/coco_results.json").is_file()


def test_a_folder_with_train_alone_is_scored(
    tmp_path: Path, test_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nuclei = test_data / "nuclei"
    if not nuclei.is_dir():
        pytest.skip(f"no {nuclei}")
    settings = ["data.max_images=4", "model.stem=null", "data.pixels=false"]
    settings += ["model.hidden_channels=8", "model.num_layers=1", "data.graph.n_segments=100"]
    train("nuclei", data_root=nuclei, max_steps=2, assignments=settings, out=tmp_path / "run")
    best = tmp_path / "run/checkpoints/best.ckpt"
    other = tmp_path / "other"
    other.mkdir()
    (other / "train.json").symlink_to(nuclei / "train.json")
    (other / "train").symlink_to(nuclei / "train")
    found = evaluate(best, data_root=other, quiet=False)
    assert found["split"] == "train" and found["num_graphs"] == 4 and found["ceiling_ap"] > 0.1
    assert "split train: 4 samples (there is no val: " in capsys.readouterr().out
    (other / "train.json").unlink()
    with pytest.raises(InputError, match=r"val\.json: no such annotation file"):
        evaluate(best, data_root=other)

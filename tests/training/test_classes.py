"""Class numbers must mean the same wherever they meet."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.training import evaluate, train
from geoinfluencer.training.scoring.evaluation import check_classes

PETS = """
import torch
from torch_geometric.data import Data, Dataset


class Pets(Dataset):
    def __init__(self, root=None, split: str = "train", *, val_classes: str = "cat dog"):
        super().__init__(None)
        self.class_names = ("cat dog" if split == "train" else val_classes).split()

    def len(self):
        return 3

    def get(self, index):
        instance = torch.arange(2).repeat_interleave(8)
        pos = 3.0 * instance[:, None] + torch.linspace(0, 1, 16)[:, None]
        edges = torch.combinations(torch.arange(16)).T
        fields = {"y": instance} if self.class_names else {}
        return Data(pos=pos, x=pos.clone(), edge_index=edges, instance=instance, **fields)
"""


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "my_pets.py").write_text(PETS)
    monkeypatch.chdir(tmp_path)
    importlib.invalidate_caches()
    yield "my_pets:Pets"
    sys.modules.pop("my_pets", None)


def test_the_first_difference_is_named() -> None:
    check_classes(["a", "b"], ["a", "b"], "here", "there")
    check_classes([], [], "here", "there")
    for found, words in (
        (["a", "c"], "here: class 1 is 'c', but 'b' in there; give both the same classes"),
        (["b", "a"], "here: class 0 is 'b', but 'a' in there"),
        (["a"], "here: class 1 is missing, but 'b' in there"),
        (["a", "b", "c"], "here: class 2 is 'c', but missing in there"),
    ):
        with pytest.raises(InputError, match=words):
            check_classes(found, ["a", "b"], "here", "there")


def test_training_and_validation_have_the_same_classes(pets: str, tmp_path: Path) -> None:
    other = ("data.val_classes=dog cat",)
    with pytest.raises(InputError, match="split calib: class 0 is 'dog', but 'cat' in split train"):
        train(pets, assignments=other, max_steps=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_evaluation_has_the_classes_of_the_checkpoint(pets: str, tmp_path: Path) -> None:
    small = ("model.hidden_channels=8", "model.num_layers=1", "condensation.radius=2.0")
    run = train(pets, assignments=small, max_steps=1, out=tmp_path / "run")
    with pytest.raises(
        InputError, match=r"split val: class 2 is 'cow', but missing in .*best\.ckpt; give both"
    ):
        evaluate(run.best, assignments=("data.val_classes=cat dog cow",))
    with pytest.raises(InputError, match="class 0 is 'dog', but 'cat' in"):
        evaluate(run.best, assignments=("data.val_classes=dog cat",))
    assert evaluate(run.best)["class_agnostic"] is False

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Dataset
from torch_geometric.loader import DataLoader

from geoinfluencer.datasets import ToyTracks
from geoinfluencer.datasets.toy_detector import ToyDetector
from geoinfluencer.datasets.toy_physics import ToyPhysics
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample


def test_sample_fields() -> None:
    dataset = ToyTracks(split="val", num_events=3)
    assert isinstance(dataset, Dataset) and len(dataset) == 3
    data = validate_sample(dataset[1])
    n = data.num_nodes
    assert data.name == "toy-val-000001"
    assert data.pos.shape == (n, 2) and 90 < data.pos.norm(dim=1).min() < 110  # millimetres
    assert data.particle_id.dtype == data.instance.dtype == data.node_id.dtype == torch.int64
    noise = data.particle_id == 0
    assert torch.equal(noise, data.instance == -1)
    assert torch.equal(noise, data.pt.isnan())
    assert data.instance.max() + 1 == len(data.particle_id.unique()) - int(noise.any())
    assert (data.eta[~noise] == 0).all()
    assert not data.ignore.any() and (data.weight == 1).all()
    assert torch.equal(data.hit_weight, (~noise).float())
    assert "edge_index" in data and data.x.shape[0] == n


def test_events_depend_on_seed_split_and_number_alone() -> None:
    def pos(split: str, i: int, **options: object) -> np.ndarray:
        return ToyTracks(split=split, num_events=5, **options).event(i).pos

    base = pos("train", 3)
    dataset = ToyTracks(split="train", num_events=9)
    dataset.event(7)
    np.testing.assert_array_equal(base, dataset.event(3).pos)
    others = [pos(s, 3) for s in ("calib", "val", "test")] + [pos("train", 3, seed=1)]
    others += [pos("train", 2)]
    for other in others:
        assert other.shape != base.shape or not np.allclose(other, base)


def test_workers_see_the_same_events() -> None:
    dataset = ToyTracks(split="train", num_events=4, rotate=False, mirror_z=False, mirror_phi=False)
    names, positions = [], []
    for batch in DataLoader(dataset, batch_size=1, num_workers=2):
        names.append(batch.name[0])
        positions.append(batch.pos)
    assert names == [f"toy-train-{i:06d}" for i in range(4)]
    for i, pos in enumerate(positions):
        assert torch.equal(pos, dataset[i].pos)


def test_batching_keeps_every_field() -> None:
    batch = next(iter(DataLoader(ToyTracks(split="val", num_events=2), batch_size=2)))
    assert batch.num_graphs == 2
    assert len(batch.instance) == len(batch.pt) == len(batch.batch) == batch.num_nodes


def test_lengths_per_split_and_all() -> None:
    sizes = {"train_events": 4, "calib_events": 2, "val_events": 3, "test_events": 1}
    for split, size in (("train", 4), ("calib", 2), ("val", 3), ("test", 1), ("all", 4)):
        assert len(ToyTracks(split=split, **sizes)) == size
    unseen = ToyTracks(split="all", **sizes)
    np.testing.assert_array_equal(unseen.event(3).pos, ToyTracks(split="test").event(0).pos)


def test_disk_cache_is_used_and_repaired(tmp_path: Path) -> None:
    options = {"split": "val", "num_events": 2, "root": tmp_path}
    first = ToyTracks(**options).event(1)
    (file,) = tmp_path.rglob("*.npz")
    changed = {**vars(first), "pos": first.pos + 1}
    np.savez(file, **changed)
    np.testing.assert_array_equal(ToyTracks(**options).event(1).pos, first.pos + 1)
    file.write_bytes(b"broken")
    np.testing.assert_array_equal(ToyTracks(**options).event(1).pos, first.pos)
    # Other options do not meet this cache.
    other = ToyTracks(seed=5, **options).event(1)
    assert not np.array_equal(other.particle_id, first.particle_id)
    ToyTracks(root=tmp_path, split="train", num_events=2).event(0)
    assert not list(tmp_path.rglob("train"))


def test_kept_samples_are_not_changed_by_their_users() -> None:
    dataset = ToyTracks(split="val", num_events=1)
    dataset[0].extra = 1
    assert "extra" not in dataset[0]


def test_window_sets_weights_and_removes_nothing() -> None:
    data = ToyTracks(split="val", num_events=1, num_tracks=50)[0]
    cut = ToyTracks(split="val", num_events=1, num_tracks=50, pt_min=2.0, outside_weight=0.25)[0]
    assert torch.equal(data.pos, cut.pos)
    low = (cut.particle_id > 0) & ~(cut.pt >= 2.0)
    assert low.any() and not low.all()
    assert (cut.weight[low] == 0.25).all() and (cut.weight[~low] == 1).all()


def test_three_dimensions_and_repr() -> None:
    data = ToyTracks(split="val", num_events=1, dim=3)[0]
    assert data.pos.shape[1] == 3
    assert data.eta.nan_to_num().abs().max() > 0
    assert repr(ToyTracks(split="val", num_events=7)) == "ToyTracks('val', 7)"


def test_bad_options() -> None:
    with pytest.raises(InputError, match="no split 'valid'"):
        ToyTracks(split="valid")
    with pytest.raises(InputError, match="num_events=-1"):
        ToyTracks(num_events=-1)
    with pytest.raises(
        InputError, match="unknown option 'curvature_mx'; did you mean 'curvature_max'"
    ):
        ToyTracks(graph={"curvature_mx": 1.0})
    with pytest.raises(InputError, match="eta_max"):
        ToyTracks(eta_max=0.0)


OWNERS = {
    field.name: (part, field)
    for part, cls in (("detector", ToyDetector), ("physics", ToyPhysics))
    for field in dataclasses.fields(cls)
}


@pytest.mark.parametrize("name", OWNERS)
def test_options_of_detector_and_physics_have_their_names_defaults_and_arrive(name: str) -> None:
    part, field = OWNERS[name]
    option = inspect.signature(ToyTracks).parameters[name]
    assert option.default == field.default and type(option.default) is type(field.default)
    other = {"pt_spectrum": "uniform", "num_tracks_max": 20}.get(name)
    if other is None:
        other = field.default + (1 if isinstance(field.default, int) else 0.25)
    dataset = ToyTracks(**{name: other})
    changed = dataclasses.replace(getattr(ToyTracks(), part), **{name: other})
    assert getattr(dataset, part) == changed != getattr(ToyTracks(), part)

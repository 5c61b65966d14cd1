from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Dataset

from geoinfluencer.datasets import TrackML
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample

WriteEvent = Callable[..., dict[str, pd.DataFrame]]


def test_whole_event_sample(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event()
    dataset = TrackML(tmp_path, "all")
    assert isinstance(dataset, Dataset) and len(dataset) == 1
    data = validate_sample(dataset[0])
    np.testing.assert_array_equal(data.node_id, tables["hits"]["hit_id"])
    np.testing.assert_array_equal(data.particle_id, tables["truth"]["particle_id"])
    np.testing.assert_allclose(data.pos, tables["hits"][["x", "y", "z"]], rtol=1e-6)
    signal = data.particle_id != 0
    assert torch.equal(signal, data.instance >= 0)
    assert data.instance.max() + 1 == len(data.particle_id[signal].unique())
    assert data.name == "event000000001"
    np.testing.assert_allclose(data.hit_weight, tables["truth"]["weight"], rtol=1e-6)
    assert repr(dataset) == f"TrackML({tmp_path.name!r}, 'all', 1)"


def test_single_event_splits_are_disjoint(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event()
    parts = {s: TrackML(tmp_path, s)[0] for s in ("train", "val", "calib")}
    ids = torch.cat([part.node_id for part in parts.values()])
    assert len(ids) == len(ids.unique()) == len(tables["hits"])
    for part in parts.values():
        assert part.num_nodes > 0
        present = part.instance[part.instance >= 0]
        assert present.unique().tolist() == list(range(int(present.max()) + 1))


def test_window_never_removes_hits(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event()
    data = TrackML(tmp_path, "all", pt_min=2.0, eta_max=1.5, min_hits=4, outside_weight=0.5)[0]
    assert data.num_nodes == len(tables["hits"])
    sizes = tables["truth"]["particle_id"].value_counts()
    for pid, pt, eta, weight in zip(
        data.particle_id.tolist(), data.pt.tolist(), data.eta.tolist(), data.weight, strict=True
    ):
        inside = pid == 0 or (pt >= 2.0 and abs(eta) <= 1.5 and sizes[pid] >= 4)
        assert weight == (1.0 if inside else 0.5)
    assert 0 < (data.weight == 0.5).sum() < data.num_nodes


def test_unknown_particles_are_ignored_but_stay(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event(kinds=("hits", "truth"))
    lost = int(tables["particles"]["particle_id"][0])
    truth = tables["truth"]
    truth.loc[truth["particle_id"] == lost, ["tpx", "tpy", "tpz"]] = 0.0
    truth.to_csv(tmp_path / "event000000001-truth.csv", index=False)
    data = TrackML(tmp_path, "all")[0]
    assert torch.equal(data.ignore, data.particle_id == lost)
    assert (data.instance[data.ignore] >= 0).all()


def test_truth_without_any_momentum(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event(kinds=("hits", "truth"))
    bare = tables["truth"][["hit_id", "particle_id"]]
    bare.to_csv(tmp_path / "event000000001-truth.csv", index=False)
    data = TrackML(tmp_path, "all")[0]
    assert not data.ignore.any()
    assert (data.weight == 1).sum() > 0.9 * data.num_nodes


def test_hits_alone(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event(kinds=("hits",))
    dataset = TrackML(tmp_path, "all")
    assert not dataset.has_truth
    data = validate_sample(dataset[0])
    assert data.num_nodes == len(tables["hits"]) and data.ignore.all()
    with pytest.raises(InputError, match=r"has no event000000001-truth\.csv"):
        TrackML(tmp_path, "train")


def test_prediction_does_not_read_the_truth(tmp_path: Path, write_event: WriteEvent) -> None:
    write_event()
    reference = TrackML(tmp_path, "all")[0]
    (tmp_path / "event000000001-truth.csv").write_text("nonsense\n")
    blind = TrackML(tmp_path / "event000000001-hits.csv", "all", truth=False)[0]
    assert torch.equal(reference.x, blind.x) and torch.equal(reference.edge_index, blind.edge_index)
    with pytest.raises(InputError, match="truth=true"):
        TrackML(tmp_path, "train", truth=False)


def test_detector_cuts(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event()
    barrel = tables["hits"]["volume_id"] == 8
    assert TrackML(tmp_path, "all", volumes=[8])[0].num_nodes == barrel.sum()
    layers = TrackML(tmp_path, "all", layers=["8:2", "8:4"])[0]
    assert layers.num_nodes == tables["hits"]["layer_id"].isin([2, 4]).sum()
    with pytest.raises(InputError, match=r"no hit passes volumes=\[7\].*has volumes \[8, 9\]"):
        TrackML(tmp_path, "all", volumes=[7])[0]
    with pytest.raises(InputError, match="'8-2' is not of the form"):
        TrackML(tmp_path, "all", layers=["8-2"])


def test_training_sectors(tmp_path: Path, write_event: WriteEvent) -> None:
    write_event(num_tracks=100)
    dataset = TrackML(tmp_path, "train", wedges=4, rotate=False, mirror_z=False, mirror_phi=False)
    assert len(dataset) == 4
    assert len(TrackML(tmp_path, "train", wedges=4, steps_per_event=10)) == 10
    torch.manual_seed(0)
    first = [dataset[0] for _ in range(3)]
    torch.manual_seed(0)
    again = [dataset[0] for _ in range(3)]
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a.node_id, b.node_id)
    assert not torch.equal(first[0].node_id, first[1].node_id)
    held_out = set(TrackML(tmp_path, "val")[0].node_id.tolist())
    held_out |= set(TrackML(tmp_path, "calib")[0].node_id.tolist())
    for sample in first:
        phi = torch.atan2(sample.pos[:, 1], sample.pos[:, 0]).sort().values
        gaps = torch.diff(phi, append=phi[:1] + 2 * np.pi)
        assert 2 * np.pi - gaps.max() <= np.pi / 2 + 1e-5
        assert not held_out & set(sample.node_id.tolist())


def test_evaluation_sectors_cover_the_event(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event()
    dataset = TrackML(tmp_path, "all", eval_wedges=3)
    samples = [dataset[i] for i in range(len(dataset))]
    assert [s.name for s in samples] == [f"event000000001/{i}" for i in range(3)]
    ids = torch.cat([s.node_id for s in samples])
    assert sorted(ids.tolist()) == sorted(tables["hits"]["hit_id"])


def test_augmentation_is_a_symmetry_and_for_training_only(
    tmp_path: Path, write_event: WriteEvent
) -> None:
    write_event("event000000001")
    write_event("event000000002", seed=2)
    plain = TrackML(tmp_path, "train", rotate=False, mirror_z=False, mirror_phi=False)[0]
    dataset = TrackML(tmp_path, "train")
    signs, moved = set(), 0
    for _ in range(12):
        sample = dataset[0]
        torch.testing.assert_close(sample.pos[:, :2].norm(dim=1), plain.pos[:, :2].norm(dim=1))
        torch.testing.assert_close(sample.pos[:, 2].abs(), plain.pos[:, 2].abs())
        sign = torch.sign(sample.pos[0, 2] * plain.pos[0, 2])
        torch.testing.assert_close(sample.eta, sign * plain.eta, equal_nan=True)
        cross = [s.pos[0, 0] * s.pos[1, 1] - s.pos[0, 1] * s.pos[1, 0] for s in (sample, plain)]
        signs.add((float(sign), float(torch.sign(cross[0] * cross[1]))))
        moved += not torch.allclose(sample.pos[:, 0], plain.pos[:, 0], atol=1.0)
        assert torch.equal(sample.particle_id, plain.particle_id)
    assert len(signs) == 4 and moved == 12
    val = TrackML(tmp_path, "val")
    assert torch.equal(val[0].pos, val[0].pos)


def test_cells_are_features_when_every_event_has_them(
    tmp_path: Path, write_event: WriteEvent
) -> None:
    tables = write_event("event000000001")
    write_event("event000000002", seed=2)
    assert not TrackML(tmp_path, "all").has_cells
    cells = pd.DataFrame({"hit_id": tables["hits"]["hit_id"], "ch0": 1, "ch1": 1, "value": 0.5})
    cells.to_csv(tmp_path / "event000000001-cells.csv", index=False)
    mixed = TrackML(tmp_path, "all")
    assert not mixed.has_cells and mixed.feature_names == ()
    with pytest.raises(InputError, match=r"cells='on' but event000000002-cells"):
        TrackML(tmp_path, "all", cells="on")
    train = TrackML(tmp_path, "train", train_events=["event000000001"], cells="on")
    without = TrackML(tmp_path, "train", train_events=["event000000001"], cells="off")
    assert train.has_cells and len(train.feature_names) == 4
    assert train[0].x.shape[1] == without[0].x.shape[1] + 4


def test_pickles_and_options(tmp_path: Path, write_event: WriteEvent) -> None:
    write_event()
    dataset = TrackML(tmp_path, "val")
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(copy[0].x, dataset[0].x)
    for bad in ({"wedges": 0}, {"heldout_fraction": 0.6}, {"outside_weight": -1.0}):
        with pytest.raises(InputError, match=next(iter(bad))):
            TrackML(tmp_path, "train", **bad)
    with pytest.raises(InputError, match="steps_per_event"):
        TrackML(tmp_path, "train", steps_per_event=0)
    with pytest.raises(InputError, match="cells must be"):
        TrackML(tmp_path, "train", cells="yes")


def test_real_event_splits(test_data: Path) -> None:
    root = test_data / "trackml"
    train, val = TrackML(root, "train"), TrackML(root, "val")
    assert train.event_names == ["event000021000"] and val.event_names == ["event000021001"]
    sample = validate_sample(val[0])
    assert sample.num_nodes == 32298
    assert int(sample.ignore.sum()) == 1030
    inside = (sample.weight == 1) & (sample.particle_id != 0)
    assert len(sample.particle_id[inside].unique()) == 759

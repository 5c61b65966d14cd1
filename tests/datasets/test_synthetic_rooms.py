from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Dataset
from torch_geometric.loader import DataLoader

from geoinfluencer.datasets.room_generator import RoomOptions
from geoinfluencer.datasets.s3dis_classes import s3dis_class
from geoinfluencer.datasets.synthetic_rooms import SyntheticRooms
from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import S3DIS_CLASSES, S3DIS_STUFF
from geoinfluencer.graphs.points import POINT_NODE_FEATURES
from geoinfluencer.graphs.sample import validate_sample

SMALL = {"num_points": 15_000, "size_max": 5.0, "graph": {"voxel": 0.15}}
FIXED = {"rotate": False, "mirror": False, "scale": 0.0, "color_drop": 0.0}


def rooms(split: str = "val", **options: object) -> SyntheticRooms:
    return SyntheticRooms(split=split, **{"num_rooms": 2, **SMALL, **options})


def test_sample_fields_and_truth_of_voxels() -> None:
    dataset = rooms()
    assert isinstance(dataset, Dataset) and len(dataset) == 2
    data, room = validate_sample(dataset[1]), dataset.room(1)
    n = data.num_nodes
    assert data.name == "room-val-000001"
    assert data.mass.sum() == len(room.pos) == len(data.voxel_of_point)
    assert data.mass.dtype == data.weight.dtype == torch.float32
    assert not data.ignore.any() and (data.weight == 1).all()
    assert data.instance.unique().tolist() == list(range(int(data.instance.max()) + 1))
    for node in range(0, n, n // 50):
        member = (data.voxel_of_point == node).numpy()
        number = np.bincount(room.instance[member]).argmax()
        assert data.y[node] == room.label[number]
    # one instance has one class
    pairs = torch.stack([data.instance, data.y]).unique(dim=1)
    assert pairs.shape[1] == int(data.instance.max()) + 1


def test_instances_of_voxels_are_those_of_most_points() -> None:
    dataset = rooms()
    data, room = dataset[0], dataset.room(0)
    table = np.zeros((data.num_nodes, len(room.label)), int)
    np.add.at(table, (data.voxel_of_point.numpy(), room.instance), 1)
    best = table.argmax(1)
    numbers = np.unique(best)
    np.testing.assert_array_equal(data.instance.numpy(), np.searchsorted(numbers, best))
    # of points, nearly all are of their voxel's instance
    agree = best[data.voxel_of_point.numpy()] == room.instance
    assert agree.mean() > 0.9


def test_a_room_of_too_few_points_is_refused() -> None:
    for few in ({"num_points": 5}, {"num_points": 400, "min_points": 10_000}):
        words = f"num_points={few['num_points']}, min_points={few.get('min_points', 30)}: no object"
        with pytest.raises(InputError, match=words):
            _ = rooms(**few)[0]


def test_rooms_depend_on_seed_split_and_number_alone() -> None:
    def pos(split: str, i: int, **options: object) -> np.ndarray:
        return rooms(split, num_rooms=5, **options).room(i).pos

    base = pos("train", 3)
    dataset = rooms("train", num_rooms=9)
    dataset.room(7)
    np.testing.assert_array_equal(base, dataset.room(3).pos)
    others = [pos(s, 3) for s in ("calib", "val", "test")]
    for other in [*others, pos("train", 3, seed=1), pos("train", 2)]:
        assert other.shape != base.shape or not np.allclose(other, base)


def test_workers_see_the_same_rooms_and_batches_keep_every_field() -> None:
    dataset = rooms(max_eval_nodes=300)
    (batch,) = DataLoader(dataset, batch_size=2, num_workers=1)
    for index, sample in enumerate(batch.to_data_list()):
        for key in ("pos", "x", "edge_attr", "instance", "voxel_of_point", "mass", "y"):
            assert torch.equal(sample[key], dataset[index][key]), key
    assert len(batch.mass) == len(batch.instance) == batch.num_nodes == 600


def test_training_parts_differ_and_repeat_under_the_seed() -> None:
    dataset = rooms("train", max_nodes=200)
    torch.manual_seed(5)
    one, two = dataset[0], dataset[0]
    assert one.num_nodes == two.num_nodes == 200 and not torch.allclose(one.pos, two.pos)
    torch.manual_seed(5)
    assert torch.equal(dataset[0].pos, one.pos)
    assert one.instance.unique().tolist() == list(range(int(one.instance.max()) + 1))
    assert "voxel_of_point" not in one
    whole = rooms("train", max_nodes=None, **FIXED)[0]
    assert whole.num_nodes > 1000 and torch.equal(
        whole.pos, rooms("train", max_nodes=None, **FIXED)[0].pos
    )


def test_augmentations_are_of_training_alone_and_can_be_switched_off() -> None:
    still = {**FIXED, "max_nodes": None}
    plain = rooms("train", **still)[0]
    for name, value in (("rotate", True), ("scale", 0.3), ("color_drop", 1.0)):
        torch.manual_seed(0)
        assert not torch.equal(rooms("train", **{**still, name: value})[0].x, plain.x), name
    mirrored = rooms("train", **{**still, "mirror": True})
    signs = {torch.equal(mirrored[0].pos, plain.pos) for _ in range(12)}
    assert signs == {True, False}
    gone = rooms("train", **{**still, "color_drop": 1.0})[0]
    assert (gone.x[:, POINT_NODE_FEATURES.index("has_color")] == 0).all()
    loud = rooms("val", rotate=True, scale=0.3, color_drop=1.0)
    assert torch.equal(loud[0].x, rooms("val", **FIXED)[0].x)


def test_stuff_may_be_background_that_keeps_its_class() -> None:
    things = rooms(stuff=False)[0]
    stuff = torch.isin(things.y, torch.tensor([s3dis_class(n) for n in S3DIS_STUFF]))
    assert stuff.any() and torch.equal(things.instance == -1, stuff)
    assert things.instance.max() + 1 == len(things.instance[~stuff].unique())


def test_classes_on_request() -> None:
    assert rooms().class_names == [] and rooms(classes=True).class_names == list(S3DIS_CLASSES)
    assert rooms()[0].y.min() >= 0 and rooms()[0].y.max() < 13


def test_eval_crop_is_always_the_same_part() -> None:
    for crop in ("column", "sphere"):
        one = rooms(max_eval_nodes=250, crop=crop)[1]
        again = rooms(max_eval_nodes=250, crop=crop)[1]
        assert one.num_nodes == 250 and torch.equal(one.pos, again.pos)
        kept = one.voxel_of_point[one.voxel_of_point >= 0]
        assert torch.equal(torch.bincount(kept).float(), one.mass)


def test_lengths_per_split_and_all() -> None:
    sizes = {"train_rooms": 4, "calib_rooms": 2, "val_rooms": 3, "test_rooms": 1}
    for split, size in (("train", 4), ("calib", 2), ("val", 3), ("test", 1), ("all", 4)):
        assert len(SyntheticRooms(split=split, **sizes)) == size
    unseen = SyntheticRooms(split="all", **sizes, **SMALL)
    np.testing.assert_array_equal(unseen.room(3).pos, rooms("test").room(0).pos)


def test_disk_cache_is_used_and_repaired(tmp_path: Path) -> None:
    first = rooms(root=tmp_path).room(1)
    (file,) = tmp_path.rglob("*.npz")
    np.savez(file, **{**vars(first), "pos": first.pos + 1})
    np.testing.assert_array_equal(rooms(root=tmp_path).room(1).pos, first.pos + 1)
    file.write_bytes(b"broken")
    np.testing.assert_array_equal(rooms(root=tmp_path).room(1).pos, first.pos)
    other = rooms(root=tmp_path, seed=5).room(1)  # other options do not meet this cache
    assert other.pos.shape != first.pos.shape or not np.allclose(other.pos, first.pos)


def test_kept_rooms_are_not_changed_by_their_users() -> None:
    dataset = rooms()
    dataset[0].extra = 1
    assert "extra" not in dataset[0] and repr(dataset) == "SyntheticRooms('val', 2)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "valid"}, "no split 'valid'"),
        ({"num_rooms": -1}, "num_rooms=-1"),
        ({"crop": "cube"}, "crop 'cube'"),
        ({"max_nodes": 0}, "max_nodes"),
        ({"scale": 1.0}, "scale"),
        ({"color_drop": 2.0}, "color_drop"),
        ({"graph": {"voxle": 0.1}}, "unknown option 'voxle'; did you mean 'voxel'"),
        ({"fill": 3.0}, "fill"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SyntheticRooms(**options)


@pytest.mark.parametrize("field", dataclasses.fields(RoomOptions), ids=lambda f: f.name)
def test_options_of_the_generator_have_their_names_defaults_and_arrive(
    field: dataclasses.Field,
) -> None:
    option = inspect.signature(SyntheticRooms).parameters[field.name]
    assert option.default == field.default and type(option.default) is type(field.default)
    other = field.default + (1 if isinstance(field.default, int) else 0.01)
    changed = dataclasses.replace(RoomOptions(), **{field.name: other})
    assert SyntheticRooms(**{field.name: other}).options == changed != RoomOptions()


def test_superpoints_are_nodes_with_the_truth_of_most_of_their_points(tmp_path: Path) -> None:
    graph = {"nodes": "superpoints", "voxel": 0.15, "min_size": 6}
    dataset = rooms(graph=graph, root=str(tmp_path))
    data, room = validate_sample(dataset[0]), dataset.room(0)
    assert 20 < data.num_nodes < rooms()[0].num_nodes / 5
    table = np.zeros((data.num_nodes, len(room.label)), int)
    np.add.at(table, (data.voxel_of_point.numpy(), room.instance), 1)
    best = table.argmax(1)
    np.testing.assert_array_equal(data.instance.numpy(), np.searchsorted(np.unique(best), best))
    np.testing.assert_array_equal(data.y.numpy(), room.label[best])
    np.testing.assert_array_equal(data.mass.numpy(), table.sum(1))
    batch = Batch.from_data_list([dataset[0], dataset[1]])
    labels = [s.instance[s.voxel_of_point] for s in batch.to_data_list()]  # of every point
    assert [len(label) for label in labels] == [len(dataset.room(i).pos) for i in (0, 1)]


def test_training_parts_of_superpoints_and_of_voxels_that_name_theirs() -> None:
    graph = {"nodes": "superpoints", "voxel": 0.15, "min_size": 6}
    part = validate_sample(rooms("train", max_nodes=15, graph=graph)[0])
    assert part.num_nodes == 15 and "voxel_of_point" not in part
    options = {"voxel": 0.15, "superpoints": 6}
    voxels = validate_sample(rooms("train", max_nodes=200, graph=options)[0])
    assert voxels.superpoint.shape == (200,)
    assert 1 < len(voxels.superpoint.unique()) < 40

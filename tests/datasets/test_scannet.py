"""ScanNet: files, their faults, splits and samples, on scenes of a few vertices."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plyfile import PlyData, PlyElement
from torch_geometric.data import Dataset

from geoinfluencer.datasets import scannet
from geoinfluencer.datasets.scannet import ScanNet
from geoinfluencer.datasets.scannet_classes import LABELS_FILE, read_label_classes
from geoinfluencer.datasets.scannet_files import find_scenes, own_segments, read_scene
from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import NYU40_IDS, SCANNET_CLASSES
from geoinfluencer.graphs.sample import validate_sample

SEGMENTS = [0, 0, 7, 7, 2, 3, 3, 3, 99, 99]  # of the ten vertices
OBJECTS = {"wall": [0], "armchair": [7, 2], "robot": [3]}


def write_scene(root: Path, name: str, *, corners: int = 3, truth: bool = True) -> Path:
    """Ten vertices: a wall (2), a chair of two segments (3), a robot (3), nothing (2)."""
    folder = root / name
    folder.mkdir(parents=True)
    fields = [(axis, "f4") for axis in "xyz"] + [(c, "u1") for c in ("red", "green", "blue")]
    vertex = np.zeros(10, fields)
    vertex["x"], vertex["red"] = np.arange(10), 10 * np.arange(10)
    face = np.zeros(2, [("vertex_indices", "i4", (corners,))])
    elements = [PlyElement.describe(vertex, "vertex"), PlyElement.describe(face, "face")]
    PlyData(elements).write(str(folder / f"{name}_vh_clean_2.ply"))
    if truth:
        path = folder / f"{name}_vh_clean_2.0.010000.segs.json"
        path.write_text(json.dumps({"segIndices": SEGMENTS}))
        groups = [{"label": name, "segments": own} for name, own in OBJECTS.items()]
        (folder / f"{name}.aggregation.json").write_text(json.dumps({"segGroups": groups}))
    return folder


def write_labels(root: Path) -> Path:
    path = root / LABELS_FILE
    rows = [("id", "raw_category", "nyu40id"), (1, "wall", 1), (2, "armchair", 5), (3, "robot", 40)]
    path.write_text("\n".join("\t".join(map(str, row)) for row in rows) + "\n")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("scene0000_00", "scene0000_01", "scene0001_00", "scene0002_00"):
        write_scene(tmp_path / "scans", name)
    (tmp_path / "scannetv2_train.txt").write_text("scene0000_00\nscene0000_01\nscene0001_00\n")
    (tmp_path / "scannetv2_val.txt").write_text("scene0002_00\n")
    return tmp_path


def scenes(root: Path, split: str, **options: Any) -> ScanNet:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ScanNet(root, split, **{"calib_rooms": 1, "graph": {"voxel": 0.5}, **options})


@pytest.mark.parametrize("corners", [3, 4])
def test_a_scene(tmp_path: Path, corners: int) -> None:
    write_scene(tmp_path, "scene0000_00", corners=corners)
    (files,) = find_scenes(tmp_path)
    room = read_scene(files, None, only_classes=False)
    np.testing.assert_array_equal(room.pos[:, 0], np.arange(10))
    np.testing.assert_array_equal(room.color[:, 0], 10 * np.arange(10))
    assert room.instance.tolist() == [0, 0, 1, 1, 1, 2, 2, 2, -1, -1]
    assert room.label.tolist() == [0, -1, -1]  # "wall" alone is a class without the table
    labels = write_labels(tmp_path)
    assert read_scene(files, labels, only_classes=False).label.tolist() == [0, 4, -1]
    known = read_scene(files, labels, only_classes=True)
    assert known.instance.tolist() == [0, 0, 1, 1, 1, -1, -1, -1, -1, -1]


def test_label_table(tmp_path: Path) -> None:
    assert len(NYU40_IDS) == len(SCANNET_CLASSES) == 20
    assert read_label_classes(write_labels(tmp_path)) == {"wall": 0, "armchair": 4}
    (tmp_path / LABELS_FILE).write_text("id\tname\n1\twall\n")
    with pytest.raises(InputError, match=f"{LABELS_FILE}: line 1: no column 'nyu40id'"):
        read_label_classes(tmp_path / LABELS_FILE)


def test_samples_with_and_without_classes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scannet, "_SAID", set())
    with pytest.warns(UserWarning, match=f"no {LABELS_FILE}: instances without classes") as said:
        plain = ScanNet(root, "val", graph={"voxel": 0.5})
        ScanNet(root, "val")
    assert len(said) == 1 and isinstance(plain, Dataset) and plain.class_names == []
    assert (plain.protocol, plain.primary_metric, plain.has_truth) == ("rooms", "pq", True)
    data = validate_sample(plain[0])
    assert data.name == "scene0002_00" and data.num_nodes == 10
    assert data.instance.tolist() == [-1, -1, 0, 0, 0, 1, 1, 1, -1, -1]  # no wall
    assert data.ignore.tolist() == [False] * 8 + [True] * 2
    write_labels(root)
    dataset = scenes(root, "val", stuff=True)
    assert dataset.class_names == list(SCANNET_CLASSES)
    data = validate_sample(dataset[0])
    assert data.instance.tolist() == [0, 0, 1, 1, 1] + [-1] * 5
    assert data.y.tolist() == [0, 0, 4, 4, 4] + [-1] * 5
    assert torch.equal(data.ignore, data.y < 0)
    everything = scenes(root, "val", classes=False)
    assert everything.class_names == [] and everything[0].instance.max() == 1


def test_splits(root: Path) -> None:
    names = {s: scenes(root, s).event_names for s in ("train", "calib", "val", "test", "all")}
    assert names["calib"] == ["scene0000_00", "scene0000_01"]  # scans of one place stay together
    assert names["train"] == ["scene0001_00"]
    assert names["val"] == names["test"] == ["scene0002_00"] and len(names["all"]) == 4
    assert len(scenes(root, "train", all_rooms=True)) == 4
    assert len(scenes(root / "scans", "val")) == len(scenes(root / "scans" / "scene0001_00", "all"))
    with pytest.raises(InputError, match=r"scannetv2_train.txt: no scene is left.*calib_rooms"):
        scenes(root, "train", calib_rooms=2)
    (root / "scannetv2_val.txt").write_text("scene0002_00\nscene0003_00\n")
    with pytest.warns(UserWarning, match="split val: 1 of the 2 scenes of scannetv2_val.txt"):
        ScanNet(root, "val", classes=False)
    (root / "scannetv2_val.txt").unlink()
    with pytest.raises(InputError, match=r"no scannetv2_val.txt.*https://github.com/ScanNet"):
        scenes(root, "val")
    for options, message in (({"calib_rooms": 0}, "calib_rooms"), ({"split": "v"}, "no split 'v'")):
        with pytest.raises(InputError, match=message):
            scenes(root, **{"split": "train", **options})


def test_a_list_of_scenes_that_is_not_utf8(root: Path) -> None:
    (root / "scannetv2_train.txt").write_bytes(b"scene0000_00\n\xff\xfe\n")
    with pytest.raises(InputError, match=r"scannetv2_train.txt: line 2: is not UTF-8; save the"):
        scenes(root, "train")


def test_scenes_without_truth_are_for_prediction(tmp_path: Path) -> None:
    write_scene(tmp_path, "scene0707_00", truth=False)
    dataset = scenes(tmp_path, "all")
    assert not dataset.has_truth
    data = validate_sample(dataset[0])
    assert data.ignore.all() and (data.instance == -1).all() and (data.y == -1).all()
    with pytest.raises(InputError, match="scene0707_00: no .segs.json .* split 'val' needs"):
        scenes(tmp_path, "val", all_rooms=True)


def test_what_is_there_and_missing(root: Path) -> None:
    found = ScanNet.find(root)
    assert len(found.sources) == 4 and "class-agnostic" in found.words
    assert "4 of 1513 scenes" in found.missing and "http://www.scan-net.org" in found.missing
    with pytest.raises(InputError, match="no scans/SCENE.*http://www.scan-net.org"):
        ScanNet.find(root / "nothing")


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        ("_vh_clean_2.ply", "ply\nrubbish", "cannot be read as PLY"),
        ("_vh_clean_2.0.010000.segs.json", "{", "cannot be read as JSON"),
        ("_vh_clean_2.0.010000.segs.json", "[]", "has no list 'segIndices'"),
        ("_vh_clean_2.0.010000.segs.json", '{"segIndices": [1]}', "1 segIndices for 10 vertices"),
        ("_vh_clean_2.0.010000.segs.json", '{"segIndices": [0.5]}', "not whole numbers"),
        (".aggregation.json", '{"segGroups": [{"label": "a"}]}', r"segGroups\[0\] has no proper"),
        (
            ".aggregation.json",
            '{"segGroups": [{"label": "a", "segments": [100]}]}',
            r"segGroups\[0\] names segment 100",
        ),
    ],
)
def test_damaged_files(tmp_path: Path, suffix: str, content: str, message: str) -> None:
    path = write_scene(tmp_path, "scene0000_00") / f"scene0000_00{suffix}"
    path.write_text(content)
    (files,) = find_scenes(tmp_path)
    with pytest.raises(InputError, match=f"{path.name}: .*{message}"):
        read_scene(files, None, only_classes=False)


def test_half_of_the_truth(tmp_path: Path) -> None:
    (write_scene(tmp_path, "scene0000_00") / "scene0000_00.aggregation.json").unlink()
    with pytest.raises(InputError, match="scene0000_00.aggregation.json: is missing"):
        find_scenes(tmp_path)


def test_segments_of_the_scan_are_its_superpoints(root: Path) -> None:
    dataset = scenes(root, "val", graph={"nodes": "superpoints", "voxel": 0.5})
    room, data = dataset.room(0), validate_sample(dataset[0])
    assert len(room.segment) == len(room.pos)
    values, number = np.unique(room.segment, return_inverse=True)
    assert data.num_nodes == len(values)
    np.testing.assert_array_equal(data.voxel_of_point.numpy(), number)
    options = {"nodes": "superpoints", "voxel": 0.5, "own_segments": False, "min_size": 1}
    other = scenes(root, "val", graph=options)[0]
    assert other.voxel_of_point.tolist() != data.voxel_of_point.tolist()


def test_a_real_scan(test_data: Path, tmp_path: Path) -> None:
    root = test_data / "scannet"
    if not root.is_dir():
        pytest.skip(f"no {root}")
    dataset = scenes(root, "all", cache_dir=str(tmp_path), stuff=True, graph={"voxel": 0.1})
    data = validate_sample(dataset[0])
    assert len(data.voxel_of_point) == 81_369 and len(dataset.room(0).label) == 55
    assert 52 <= int(data.instance.max()) + 1 <= 55


def test_segments_beside_a_mesh(tmp_path: Path) -> None:
    mesh = tmp_path / "scene_vh_clean_2.ply"
    found, said = own_segments(mesh, 3)
    assert len(found) == 0 and "cut anew" in said
    (tmp_path / "scene_vh_clean_2.0.010000.segs.json").write_text('{"segIndices": [4, 4, 9]}')
    found, said = own_segments(mesh, 3)
    assert found.tolist() == [4, 4, 9] and "scene_vh_clean_2.0.010000.segs.json" in said
    with pytest.raises(InputError, match="3 segIndices for 5 vertices"):
        own_segments(mesh, 5)

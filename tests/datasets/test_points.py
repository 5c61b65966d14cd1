"""Scans of one's own: columns, splits, truth, and samples on a few points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plyfile import PlyData, PlyElement

from geoinfluencer.datasets.point_files import parse_columns, read_cloud
from geoinfluencer.datasets.points import Points
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample
from geoinfluencer.training.data import describe

INSTANCE = [40, 40, 7, 7, -1, -1, -100]
SEMANTIC = [1, 1, 2, 0, 0, -1, -1]  # instance 7 has both 2 and 0: a tie, the smaller one
NAMES = ["floor", "chair", "table"]


def write(path: Path, **columns: Any) -> None:
    """Seven points a metre apart, with any further columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {"x": np.arange(7.0), "y": np.zeros(7), "z": np.zeros(7), **columns}
    vertex = np.zeros(7, [(name, np.asarray(v).dtype) for name, v in values.items()])
    for name, v in values.items():
        vertex[name] = v
    PlyData([PlyElement.describe(vertex, "vertex")]).write(str(path))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    for name in ("train/a", "train/b", "train/deep/c", "val/d"):
        write(folder / f"{name}.ply", instance=np.int32(INSTANCE), kind=np.int8(SEMANTIC))
    return folder


def points(root: Path, split: str, **options: Any) -> Points:
    return Points(root, split, **{"graph": {"voxel": 0.5}, **options})  # type: ignore[arg-type]


def test_instances_alone(root: Path) -> None:
    dataset = points(root, "val")
    data = validate_sample(dataset[0])
    assert data.name == "val/d.ply" and dataset.class_names == [] and dataset.has_truth
    assert data.instance.tolist() == [1, 1, 0, 0, -1, -1, -1]  # by the numbers in the file
    assert data.y.tolist() == [-1] * 7 and not data.ignore.any()
    assert data.voxel_of_point.tolist() == list(range(7))
    left_out = points(root, "val", unlabelled="ignore")[0]
    assert left_out.ignore.tolist() == [False] * 4 + [True] * 3


def test_classes(root: Path) -> None:
    options = {"semantic": "kind", "class_names": NAMES}
    dataset = points(root, "val", **options)
    data = validate_sample(dataset[0])
    assert data.instance.tolist() == [1, 1, 0, 0, -1, -1, -1]
    assert data.y.tolist() == [1, 1, 0, 0, 0, -1, -1] and not data.ignore.any()
    assert describe(dataset, "here")["num_classes"] == 3
    ignored = points(root, "val", **options, unlabelled="ignore")[0]
    assert ignored.ignore.tolist() == [False] * 5 + [True] * 2  # a class is an annotation
    without = points(root, "val", **options, background=["chair"])
    assert without[0].instance.tolist() == [-1, -1, 0, 0, -1, -1, -1]
    assert without[0].y.tolist() == [1, 1, 0, 0, 0, -1, -1] and without.stuff == (1,)
    instance, semantic = without.point_truth("val/d.ply")
    assert semantic is not None and semantic.tolist() == [1, 1, 0, 0, 0, -1, -1]
    assert (instance[:2] < 0).all() and (instance[2:4] == instance[2]).all() and instance[2] >= 0


def test_splits(root: Path) -> None:
    names = {s: points(root, s).event_names for s in ("train", "calib", "val", "test", "all")}
    assert names["calib"] == ["train/a.ply"]
    assert names["train"] == ["train/b.ply", "train/deep/c.ply"]
    assert names["val"] == names["test"] == ["val/d.ply"] and len(names["all"]) == 4
    assert points(root, "train", calib_rooms=3).event_names == sorted(names["all"][:3])
    assert points(root, "train", all_rooms=True).event_names == names["all"]
    write(root / "calib" / "e.ply", instance=np.int32(INSTANCE))
    assert points(root, "calib").event_names == ["calib/e.ply"] and len(points(root, "train")) == 3
    (root / "test.list").write_text("train/a.ply\n\nval/d.ply\n")
    assert points(root, "test").event_names == ["train/a.ply", "val/d.ply"]
    assert len(Points.find(root).sources) == 5
    (alone,) = points(root / "val" / "d.ply", "all").event_names
    assert alone == "d.ply"
    assert points(root / "val", "all")[0].num_nodes == 7


def test_the_cache_is_not_taken_for_scans(root: Path) -> None:
    assert len(points(root / "train", "all")) == 2
    points(root / "train", "all")[0]
    assert len(points(root / "train", "all")) == 2
    assert len(list((root / "train" / "geoinfluencer-cache").rglob("*.npy"))) == 2
    assert len(points(root, "train", all_rooms=True)) == 4


def test_without_truth_it_is_for_prediction(tmp_path: Path) -> None:
    write(tmp_path / "a.ply")
    dataset = points(tmp_path, "all")
    assert not dataset.has_truth and validate_sample(dataset[0]).ignore.all()
    write(tmp_path / "val" / "a.ply")
    with pytest.raises(
        InputError, match=r"a.ply: no column 'instance' for instance; known here: x"
    ):
        points(tmp_path, "val")[0]


def test_a_split_that_needs_truth_takes_no_room_kept_without(root: Path) -> None:
    write(root / "train" / "b.ply")
    for path in (*(root / "train").rglob("[ac].ply"), root / "val" / "d.ply"):
        path.unlink()
    assert not points(root, "all").has_truth  # keeps the room
    with pytest.raises(InputError, match=r"b.ply: no column 'instance' for instance"):
        points(root, "train")[0]
    write(root / "train" / "b.ply", instance=np.int32(INSTANCE))
    options = {"semantic": "kind", "class_names": NAMES}
    data = validate_sample(points(root, "all", **options)[0])
    assert data.instance.tolist() == [1, 1, 0, 0, -1, -1, -1] and (data.y == -1).all()
    with pytest.raises(InputError, match=r"b.ply: no column 'kind' for semantic"):
        points(root, "train", **options)[0]


def test_of_all_scans_either_each_has_truth_or_none(root: Path) -> None:
    write(root / "train" / "a.ply")
    with pytest.raises(InputError, match=r"a.ply: has no column 'instance', and .*b.ply has; g"):
        points(root, "all")
    write(root / "train" / "a.ply", instance=np.full(7, -1, np.int32))
    write(root / "val" / "d.ply", instance=np.full(7, -1, np.int32))
    assert points(root, "all", unlabelled="ignore").has_truth  # nobody annotated these two
    write(root / "val" / "d.ply")
    with pytest.raises(InputError, match=r"d.ply: has no column 'instance', and .*b.ply has; g"):
        points(root, "all", unlabelled="ignore")


def test_a_list_that_is_not_utf8(tmp_path: Path) -> None:
    write(tmp_path / "h\xf6he.ply", instance=np.int32(INSTANCE))
    names = tmp_path / "train.list"
    names.write_bytes("\n\nh\xf6he.ply\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"train.list: line 3: is not UTF-8; save the file as UTF"):
        points(tmp_path, "train")
    names.write_text("h\xf6he.ply\n", encoding="utf-8-sig")
    assert points(tmp_path, "train").event_names == ["h\xf6he.ply"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "trian"}, "no split 'trian'"),
        ({"semantic": "kind"}, "semantic: is given without class_names"),
        ({"class_names": NAMES}, "class_names: are given without semantic"),
        ({"background": ["roof"]}, r"background: \['roof'\] is not in class_names"),
        ({"unlabelled": "void"}, "unlabelled: 'void' is neither"),
        ({"columns": "w=3"}, "columns 'w=3': 'w' is unknown"),
        ({"columns": "x"}, "'x' is not ROLE=COLUMN"),
        ({"columns": "x=a,x=b"}, "'x' is given twice"),
        ({"unit": 0.0}, "unit must be positive"),
        ({"semantic": "kind", "class_names": ["a", "b"]}, "vertex 2: column 'kind' is 2, class_na"),
        ({"instance": "x2"}, "no column 'x2' for instance"),
    ],
)
def test_bad_options(root: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        points(root, **{"split": "val", **options})[0]


def test_bad_folders(tmp_path: Path, root: Path) -> None:
    with pytest.raises(InputError, match="neither a folder train/ .* nor a train.list"):
        points(tmp_path, "train")
    with pytest.raises(InputError, match=r"nowhere: no such folder"):
        points(tmp_path / "nowhere", "all")
    with pytest.raises(InputError, match=r"no file of points in it nor in its train/"):
        points(tmp_path, "all")
    (root / "val.list").write_text("train/a.ply\n")
    with pytest.raises(InputError, match=r"has val/ and val.list; keep one"):
        points(root, "val")
    (root / "test.list").write_text("train/a.ply\n../a.ply\n")
    with pytest.raises(InputError, match=r"test.list: line 2: '../a.ply' is no file of points in"):
        points(root, "test")


def test_columns_are_found_or_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("East,North,Up,R,G,B\n1,2,3,10,20,30\n1,2,5,40,50,60\n")
    with pytest.raises(InputError, match="no column for x, y, z; it has East.*--columns x=NAME"):
        read_cloud(path)
    cloud = read_cloud(path, parse_columns("x=East, y=North,z=Up"))
    assert cloud.pos[:, 2].tolist() == [3, 5] and cloud.color is not None
    assert cloud.color.tolist() == [[10, 20, 30], [40, 50, 60]]
    assert read_cloud(path, parse_columns("x=East,y=North,z=Up,color=none")).color is None
    with pytest.raises(InputError, match="columns for red alone; name all"):
        read_cloud(path, parse_columns("x=East,y=North,z=Up,red=R,green=G,blue=B,color=none,red=R"))


@pytest.mark.parametrize(
    ("colors", "expected"),
    [
        ("1 2 3", [1, 2, 3]),
        ("0.5 0 1.5", None),  # anything: nothing says that it is a colour
        ("-1 2 3", None),
        ("7", None),
    ],
)
def test_columns_without_names(tmp_path: Path, colors: str, expected: list[int] | None) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"1 2 3 {colors}\n2 2 3 {colors}\n")
    found = read_cloud(path).color
    assert (None if found is None else found[0].tolist()) == expected


def test_colours_of_other_ranges(tmp_path: Path) -> None:
    for dtype, raw in (("f4", [0, 0.5, 1]), ("u2", [0, 32896, 65535]), ("u1", [0, 128, 255])):
        tint = {c: np.full(7, v, dtype) for c, v in zip(("red", "green", "blue"), raw, strict=True)}
        write(tmp_path / "a.ply", **tint)
        color = read_cloud(tmp_path / "a.ply").color
        assert color is not None and color[0].tolist() == [0, 128, 255]
    write(tmp_path / "a.ply", r=np.full(7, -3.0), g=np.zeros(7), b=np.zeros(7))
    with pytest.raises(
        InputError, match=r"vertex 0: columns r, g, b are -3 0 0, expected a colour"
    ):
        read_cloud(tmp_path / "a.ply")


@pytest.mark.parametrize("value", [255.4, 300.5, 70000.0])
def test_one_colour_beyond_makes_no_scan_black(tmp_path: Path, value: float) -> None:
    tint = np.full(7, 200.0)
    tint[3] = value
    write(tmp_path / "a.ply", red=tint, green=np.full(7, 100.0), blue=np.zeros(7))
    with pytest.raises(InputError, match=rf"vertex 3: columns red, green, blue are {value:g} 100 "):
        read_cloud(tmp_path / "a.ply")


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(1e300, "f8"), (2.0**63, "f4"), (-(2.0**64), "f8"), (np.inf, "f8"), (2**64 - 1, "u8")],
)
def test_instances_beyond_64_bits(tmp_path: Path, value: float, dtype: str) -> None:
    columns = {axis: np.arange(7.0) for axis in "xyz"}
    np.savez(tmp_path / "a.npz", **columns, instance=np.array([value, *range(6)], dtype))
    with pytest.raises(InputError, match=r"row 0: column 'instance' is .*, expected a whole numb"):
        read_cloud(tmp_path / "a.npz", {"instance": "instance"})
    np.savez(tmp_path / "a.npz", **columns, instance=np.full(7, -(2.0**63)))
    cloud = read_cloud(tmp_path / "a.npz", {"instance": "instance"})
    assert cloud.instance is not None and (cloud.instance == -(2**63)).all()


def test_far_away_and_in_millimetres(tmp_path: Path) -> None:
    write(tmp_path / "a.ply", x=5e6 + np.arange(7) / 1000, y=np.full(7, 4e6))
    cloud = read_cloud(tmp_path / "a.ply")
    np.testing.assert_allclose(cloud.pos[:, 0], np.arange(7) / 1000, atol=1e-6)
    assert cloud.origin.tolist() == [5e6, 4e6, 0]
    write(tmp_path / "b.ply")
    assert read_cloud(tmp_path / "b.ply", unit=0.001).pos[6, 0] == pytest.approx(0.006)


def test_values_that_are_none(tmp_path: Path) -> None:
    write(tmp_path / "a.ply", z=np.array([0, 0, np.nan, 0, 0, 0, 0]))
    with pytest.raises(InputError, match="a.ply: vertex 2: column 'z' is nan; drop points"):
        read_cloud(tmp_path / "a.ply")
    (tmp_path / "a.txt").write_text("x y z i\n0 0 0 1\n\n0 0 b 1\n")
    with pytest.raises(
        InputError, match=r"a.txt: line 4: column 'z' is 'b', not a number; correct"
    ):
        read_cloud(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text("x y z i\n0 0 0 1\n0 0 0 1.5\n")
    with pytest.raises(InputError, match=r"a.txt: line 3: column 'i' is 1.5, expected a whole"):
        read_cloud(tmp_path / "a.txt", {"instance": "i"})


def test_a_tile_of_stpls3d(tmp_path: Path) -> None:
    rows = np.column_stack(
        [np.arange(7.0), np.zeros((7, 2)), np.full((7, 3), 90), SEMANTIC, INSTANCE]
    )
    rows[:, 6] += 1
    path = tmp_path / "train" / "5_points_GTv3_0.txt"
    path.parent.mkdir()
    np.savetxt(path, rows, delimiter=",", fmt="%g")
    dataset = points(
        tmp_path, "train", instance="8", semantic="7", class_names=["ground", *NAMES],
        rotate=False, mirror=False, scale=0.0,
    )  # fmt: skip
    data = validate_sample(dataset[0])
    order = torch.argsort(data.pos[:, 0])
    assert data.instance[order].tolist() == [1, 1, 0, 0, -1, -1, -1]
    assert data.y[order].tolist() == [2, 2, 1, 1, 1, 0, 0]

"""Scenes from files: submissions, codes, PLY and NPZ; what is missing and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import NYU40_IDS, S3DIS_CLASSES, SCANNET_CLASSES
from geoinfluencer.metrics import CLASS_SETS, SceneScores, parse_classes, score_files
from geoinfluencer.metrics.scene_text import read_codes

CODES = np.repeat([5001, 7001, 0, 1001], [200, 150, 30, 120])


def write_codes(path: Path, codes: np.ndarray = CODES) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, codes, fmt="%d")
    return path


def write_submission(path: Path, codes: np.ndarray = CODES, *, last: str = "1") -> Path:
    """The chair and the table of the codes, perfect, the table with the lower score."""
    (path.parent / "masks").mkdir(parents=True, exist_ok=True)
    lines = []
    for code, score in ((5001, 0.9), (7001, 0.4)):
        mask = np.where(codes == code, last, "0")
        name = f"masks/{path.stem}_{code}.txt"
        (path.parent / name).write_text("\n".join(mask) + "\n")
        lines.append(f"{name} {code // 1000} {score}")
    path.write_text("\n".join(lines) + "\n")
    return path


def write_points(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return path
    plyfile = pytest.importorskip("plyfile")
    count = len(next(iter(arrays.values())))
    kinds = {"f": "f8", "i": "i4", "u": "i4", "b": "u1"}
    vertex = np.zeros(count, [(name, kinds[a.dtype.kind]) for name, a in arrays.items()])
    for name, values in arrays.items():
        vertex[name] = values
    plyfile.PlyData([plyfile.PlyElement.describe(vertex, "vertex")]).write(str(path))
    return path


def test_class_sets_have_the_numbers_of_their_files() -> None:
    assert dict(zip(SCANNET_CLASSES, NYU40_IDS, strict=True))["otherfurniture"] == 39
    scannet, all_of_it = CLASS_SETS["scannet"], CLASS_SETS["scannet20"]
    assert len(scannet) == 18 and scannet.stuff == ()
    numbers = dict(zip(scannet.names, scannet.ids, strict=True))
    assert (numbers["cabinet"], numbers["desk"], numbers["refrigerator"]) == (3, 14, 24)
    assert all_of_it.names[:3] == ("wall", "floor", "cabinet") and all_of_it.ids[19] == 19
    assert all_of_it.stuff == ("wall", "floor") and all_of_it.things == scannet.names
    assert CLASS_SETS["s3dis"].names == S3DIS_CLASSES and S3DIS_CLASSES[7:9] == ("table", "chair")
    tiles = CLASS_SETS["stpls3d"]
    assert tiles.names[0] == "building" and tiles.ids == tuple(range(1, 15))


def test_classes_from_text() -> None:
    assert parse_classes("s3dis") is CLASS_SETS["s3dis"]
    classes = parse_classes("7=table, 5=office chair")
    assert (classes.names, classes.ids) == (("table", "office chair"), (7, 5))
    assert classes.numbers(np.array([5, 7, 6, -1, 900])).tolist() == [1, 0, -1, -1, -1]
    assert parse_classes("a,b").ids == (0, 1)
    for text, words in (
        ("scanet", "did you mean 'scannet'"),
        ("x=a,2=b", "whole ids"),
        ("1=a,1=b", "there twice"),
        ("a,a", "there twice"),
        ("a,", "is empty"),
    ):
        with pytest.raises(InputError, match=words):
            parse_classes(text)


@pytest.mark.parametrize("last", ["1", "255"])
def test_a_submission_against_codes(tmp_path: Path, last: str) -> None:
    pred = write_submission(tmp_path / "scene0.txt", last=last)
    metric = score_files(pred, write_codes(tmp_path / "gt" / "scene0.txt"), "scannet")
    assert isinstance(metric, SceneScores) and not metric.class_agnostic
    found = metric.compute()
    assert found["ap"] == found["agnostic_ap"] == 1.0 and found["num_predicted"] == 2
    assert metric.window == {"min_points": 100, "partial": False}


@pytest.mark.parametrize("ending", [".npz", ".ply"])
def test_points_against_points(tmp_path: Path, ending: str) -> None:
    instance = np.repeat([3, 0, -1], [200, 150, 150])
    semantic = np.repeat([8, 7, 2], [200, 150, 150])
    truth = write_points(tmp_path / f"t{ending}", instance=instance, semantic=semantic)
    found = write_points(
        tmp_path / f"p{ending}", instance=instance, semantic=semantic, score=instance * 0.1 + 0.2
    )
    classes = CLASS_SETS["s3dis"]
    assert score_files(found, truth, "scannet", classes=classes).compute()["ap"] == 1.0
    assert score_files(found, truth, "s3dis").compute()["mrec"] == 1.0
    panoptic = score_files(found, truth, "panoptic", classes=classes.with_stuff(["wall"]))
    assert panoptic.compute()["pq_stuff"] == panoptic.compute()["pq_things"] == 1.0


def test_properties_of_other_names(tmp_path: Path) -> None:
    instance, semantic = np.repeat([0, -1], [150, 50]), np.repeat([8, 2], [150, 50])
    truth = write_points(tmp_path / "t.npz", ins=instance, sem=semantic)
    found = write_points(tmp_path / "p.npz", ins=instance, sem=semantic, conf=np.ones(200))
    names = {"instance": "ins", "semantic": "sem"}
    given: dict[str, Any] = {"truth_names": names, "pred_names": {**names, "score": "conf"}}
    options = {"classes": CLASS_SETS["s3dis"], **given}
    scored = score_files(found, truth, "scannet", **options).compute()
    assert scored["ap"] == 1.0 and scored["unranked_scenes"] == 0
    with pytest.raises(InputError, match=r"t\.npz: has no 'instance'; it has ins, sem: .*names"):
        score_files(found, truth, "scannet")
    given["pred_names"]["score"] = "confidence"
    with pytest.raises(InputError, match=r"p\.npz: has no 'confidence'"):
        score_files(found, truth, "scannet", **given)


def test_without_classes_or_scores(tmp_path: Path) -> None:
    instance = np.repeat([0, 1], [150, 150])
    truth = write_points(tmp_path / "t.npz", instance=instance, semantic=instance + 7)
    found = write_points(tmp_path / "p.npz", instance=instance)
    metric = score_files(found, truth, "scannet", classes=CLASS_SETS["s3dis"])
    assert isinstance(metric, SceneScores) and metric.class_agnostic
    scored = metric.compute()
    assert scored["agnostic_ap"] == 1.0 and "ap" not in scored and scored["unranked_scenes"] == 1
    with pytest.raises(InputError, match=r"p\.npz: scene t has no 'semantic'; panoptic"):
        score_files(found, truth, "panoptic")


def test_ignored_points_are_void(tmp_path: Path) -> None:
    instance = np.repeat([0, 1], [150, 150])
    truth = write_points(tmp_path / "t.npz", instance=instance, ignore=instance == 1)
    found = write_points(tmp_path / "p.npz", instance=instance, score=instance + 0.5)
    assert score_files(found, truth, "scannet").compute()["agnostic_ap"] == 1.0


def test_folders_are_matched_by_name_and_must_be_whole(tmp_path: Path) -> None:
    gt, pred = tmp_path / "gt", tmp_path / "pred"
    for name in ("a", "b", "c"):
        write_codes(gt / f"{name}.txt")
    for name in ("a", "b", "x"):
        write_submission(pred / f"{name}.txt")
    with pytest.raises(InputError, match="pred: no prediction of 1 scene.*first c; .*--partial"):
        score_files(pred, gt, "scannet")
    part = score_files(pred, gt, "scannet", partial=True)
    assert isinstance(part, SceneScores) and part.compute()["num_scenes"] == 2
    assert part.window == {
        "min_points": 100, "partial": True, "scenes_missing": 1, "scenes_unknown": 1
    }  # fmt: skip
    write_submission(pred / "c.txt")
    with pytest.raises(InputError, match="gt: no truth of 1 scene.*first x"):
        score_files(pred, gt, "scannet")
    (pred / "x.txt").unlink()
    whole = score_files(pred, gt, "scannet", partial=True)
    assert isinstance(whole, SceneScores) and whole.window["partial"] is False


def test_wrong_files_are_named(tmp_path: Path) -> None:
    gt = write_codes(tmp_path / "gt" / "s.txt")
    pred = write_submission(tmp_path / "s.txt")
    good = pred.read_text()
    mask = tmp_path / "masks" / "s_5001.txt"
    for text, words in (
        ("masks/s_5001.txt 5\n", "s.txt: line 1: expected MASK CLASS CONFIDENCE"),
        ("masks/s_5001.txt 5 nan\n", "s.txt: line 1: expected MASK CLASS CONFIDENCE"),
        (good + "masks/none.txt 5 1\n", "s.txt: line 3: no file masks/none.txt"),
        (good + "masks/s_5001.txt 5 1\n", "line 3: masks/s_5001.txt is in line 1 too"),
        ("../other.txt 5 1\n", "line 1: ../other.txt lies outside"),
    ):
        pred.write_text(text)
        with pytest.raises(InputError, match=words):
            score_files(pred, gt, "scannet")
    pred.write_text(good)
    for text, words in (
        ("1\n0\n", "s_5001.txt: 2 lines for the 500 points"),
        ("1\nx\n", "s_5001.txt: line 2: 'x' is not a whole number"),
        ("1\n0.5\n", "s_5001.txt: line 2: '0.5' is not a whole number"),
        ("1,2\n", "s_5001.txt: line 1: '1,2' is not a whole number"),
    ):
        mask.write_text(text)
        with pytest.raises(InputError, match=words):
            score_files(pred, gt, "scannet")
    short = write_points(tmp_path / "p.npz", instance=[0, 1])
    with pytest.raises(InputError, match=r"p\.npz: 2 points, and 500 in the truth"):
        score_files(short, gt, "scannet")
    holes = write_points(
        tmp_path / "q.npz", instance=np.zeros(500, int), score=np.full(500, np.nan)
    )
    with pytest.raises(InputError, match=r"q\.npz: score of point 0 is nan"):
        score_files(holes, gt, "scannet")
    with pytest.raises(InputError, match=r"none: no such file or folder"):
        score_files(tmp_path / "none", gt, "scannet")
    with pytest.raises(InputError, match=r"a\.csv: unknown format; give one of .txt, .ply, .npz"):
        (tmp_path / "a.csv").touch()
        score_files(tmp_path / "a.csv", gt, "scannet")
    write_points(tmp_path / "two" / "s.npz", instance=[0])
    (tmp_path / "two" / "s.txt").touch()
    with pytest.raises(InputError, match=r"s\.txt: s\.npz is the same scene"):
        score_files(tmp_path / "two", gt, "scannet")
    with pytest.raises(InputError, match=r"no scene of .*, which has s; files are matched"):
        write_points(tmp_path / "other" / "z.npz", instance=[0])
        score_files(tmp_path / "other", gt, "scannet")


def test_classes_in_some_scenes_only(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_points(
            tmp_path / "gt" / f"{name}.npz", instance=np.zeros(200, int), semantic=[8] * 200
        )
    write_points(tmp_path / "p" / "a.npz", instance=np.zeros(200, int), semantic=[8] * 200)
    write_points(tmp_path / "p" / "b.npz", instance=np.zeros(200, int))
    with pytest.raises(InputError, match="scene b has no classes, unlike those before"):
        score_files(tmp_path / "p", tmp_path / "gt", "s3dis")


def test_windows_line_ends_and_large_codes(tmp_path: Path) -> None:
    gt = tmp_path / "gt.txt"
    gt.write_bytes(b"\r\n".join(str(code).encode() for code in CODES) + b"\r\n")
    pred = write_submission(tmp_path / "s.txt")
    assert score_files(pred, gt, "scannet").compute()["ap"] == 1.0


def test_codes_cannot_name_a_class_0(tmp_path: Path) -> None:
    codes = np.repeat([1, 1001, 0], [200, 150, 150])  # a ceiling, a floor, none
    gt = write_codes(tmp_path / "gt.txt", codes)
    semantic = read_codes(gt).semantic
    assert semantic is not None and semantic.tolist() == [0] * 200 + [1] * 150 + [-1] * 150
    instance, number = np.repeat([0, 1, -1], [200, 150, 150]), codes // 1000
    found = write_points(tmp_path / "p.npz", instance=instance, semantic=number)
    words = r"gt\.txt: .* cannot name class 0 \(ceiling\).*PLY or NPZ.*--classes .* from 1"
    for protocol in ("s3dis", "panoptic"):
        with pytest.raises(InputError, match=words):
            score_files(found, gt, protocol)
    # the same classes from 1 on: no point of code 0 is truth of the first class
    gt = write_codes(tmp_path / "from_one.txt", np.where(codes > 0, codes + 1000, 0))
    found = write_points(
        tmp_path / "q.npz", instance=instance, semantic=np.where(codes > 0, number + 1, -1)
    )
    scored = score_files(found, gt, "panoptic", classes=parse_classes("1=ceiling,2=floor"))
    assert scored.compute()["iou_of_ceiling"] == scored.compute()["pq"] == 1.0


def test_files_of_a_prediction_beside_its_scan(tmp_path: Path) -> None:
    gt, pred = tmp_path / "gt", tmp_path / "pred"
    right, wrong = np.repeat([0, 1], [150, 150]), np.zeros(300, int)
    write_points(gt / "a.npz", instance=right)
    write_points(pred / "a.npz", instance=wrong)  # the scan, with instances of its own

    def recall() -> float:
        metrics = score_files(pred, gt, "s3dis").compute()
        return float(metrics["agnostic_mrec"])

    assert recall() < 1.0
    write_points(pred / "a-predicted.npz", instance=right)
    assert recall() == 1.0
    (pred / "a-predicted.ply").write_bytes(b"ply")  # the same, and the NPZ is read
    (pred / "a-instances.ply").write_bytes(b"ply")  # points in colours
    assert recall() == 1.0
    (pred / "a-predicted.txt").touch()
    words = r"a-predicted\.txt: a-predicted\.npz is the same scene; leave one of them there"
    with pytest.raises(InputError, match=words):
        recall()


def test_instances_may_be_a_name(tmp_path: Path) -> None:
    for folder in ("gt", "pred"):
        write_points(tmp_path / folder / "a-instances.npz", instance=np.repeat([0, 1], 100))
    scored = score_files(tmp_path / "pred", tmp_path / "gt", "s3dis").compute()
    assert scored["agnostic_mrec"] == 1.0


def test_a_submission_that_is_no_text(tmp_path: Path) -> None:
    gt = write_codes(tmp_path / "gt.txt")
    pred = tmp_path / "p.txt"
    pred.write_bytes(b"masks/\xff\xfe 5 1\n")
    with pytest.raises(InputError, match=r"p\.txt: is not UTF-8.*MASK CLASS CONFIDENCE"):
        score_files(pred, gt, "scannet")

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import (
    PROTOCOLS,
    CityscapesMetrics,
    CocoMetrics,
    LineMetrics,
    NodeMetrics,
    SceneScores,
    TrackMetrics,
    score_files,
)

BIG = 9007199254740993
TRUTH = [BIG, BIG, BIG, BIG + 2, BIG + 2, BIG + 2, 0]
TRACKS = [0, 0, 0, 1, 1, -1, -1]


def csv(path: Path, **columns: Any) -> Path:
    rows = zip(*columns.values(), strict=True)
    text = "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def truth_file(folder: Path, name: str = "event000000007-truth.csv", **more: Any) -> Path:
    columns: dict[str, Any] = {"hit_id": range(1, 8), "particle_id": TRUTH}
    momentum = {"tpx": [1.0] * 6 + [0.0], "tpy": [0.0] * 7, "tpz": [0.0] * 7}
    return csv(folder / name, **{**columns, **momentum, **more})


def scores(pred: Path, truth: Path, protocol: str, **options: Any) -> dict[str, float]:
    return score_files(pred, truth, protocol, **options).compute()


def test_protocols() -> None:
    scenes = dict.fromkeys(("scannet", "scannet-literal", "s3dis", "panoptic"), SceneScores)
    images = {"coco": CocoMetrics, "cityscapes": CityscapesMetrics, "lines": LineMetrics}
    others = {"trackml": TrackMetrics, "nodes": NodeMetrics, **images}
    assert {**others, **scenes} == PROTOCOLS


def test_trackml_submission_joined_on_hit_id(tmp_path: Path) -> None:
    truth = truth_file(tmp_path, weight=[0.1] * 3 + [0.2] * 3 + [0.0])
    order = [6, 2, 0, 5, 3, 1, 4]
    pred = csv(
        tmp_path / "submission.csv.gz",
        hit_id=[i + 1 for i in order],
        track_id=[TRACKS[i] for i in order],
    )
    m = scores(pred, truth, "trackml")
    assert m["num_particles"] == 2 and m["dm_efficiency"] == 0.5
    assert m["trackml_score"] == pytest.approx((0.3 + 0.4) / 0.9)
    metrics = score_files(pred, truth, "trackml", eta_max=3.0)
    assert isinstance(metrics, TrackMetrics) and metrics.protocol == "trackml"
    assert metrics.window == {"pt_min": 0.9, "eta_max": 3.0, "min_hits": 3}
    assert scores(pred, truth, "trackml", min_track_hits=2)["dm_efficiency"] == 1
    with_event = csv(tmp_path / "s.csv", event_id=[7] * 7, hit_id=range(1, 8), track_id=TRACKS)
    assert scores(with_event, truth, "trackml") == m


@pytest.mark.parametrize("suffix", ["npz", "ply", "csv"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    labels = np.array([3, 3, 3, 5, 5, 5, -1])
    pred = tmp_path / f"p.{suffix}"
    if suffix == "npz":
        np.savez(pred, instance=labels.astype(np.float32), score=np.ones(7))
    elif suffix == "csv":
        csv(pred, instance=labels, score=[1.0] * 7)
    else:
        plyfile = pytest.importorskip("plyfile")
        vertex = np.array([(0.0, v) for v in labels], dtype=[("x", "f4"), ("instance", "i4")])
        plyfile.PlyData([plyfile.PlyElement.describe(vertex, "vertex")]).write(str(pred))
    truth = csv(tmp_path / "t.csv", instance=[0, 0, 0, 1, 1, 1, -1])
    m = scores(pred, truth, "nodes")
    assert m["ari"] == m["pq"] == m["node_accuracy"] == 1


def test_nodes_from_trackml_truth_and_optional_columns(tmp_path: Path) -> None:
    truth = truth_file(tmp_path)
    pred = csv(tmp_path / "p.csv", hit_id=range(1, 8), instance=[0, 0, 0, 1, 1, 1, -1])
    assert scores(pred, truth, "nodes")["pq"] == 1
    truth = csv(
        tmp_path / "t.csv",
        node_id=range(1, 8),
        instance=[0, 0, 0, 1, 1, 1, -1],
        ignore=[0, 0, 0, 0, 0, 0, 1],
        semantic=[1, 1, 1, 2, 2, 2, -1],
        weight=[1.0] * 7,
    )
    pred = csv(
        tmp_path / "p.csv",
        node_id=range(1, 8),
        instance=[0, 0, 0, 1, 1, 1, 1],
        semantic=[1, 1, 1, 1, 1, 1, 1],
        score=[0.5] * 7,
    )
    m = scores(pred, truth, "nodes")
    assert m["node_accuracy"] == 1 and m["pq"] == pytest.approx((1 / 1.5 + 0) / 2)


def test_momenta_from_particles_columns_or_nowhere(tmp_path: Path) -> None:
    bare = csv(tmp_path / "e1-truth.csv", hit_id=range(1, 8), particle_id=TRUTH)
    pred = csv(tmp_path / "p.csv", hit_id=range(1, 8), track_id=TRACKS)
    with pytest.raises(InputError, match=r"e1-truth\.csv: no momenta for the window pt_min=0\.9"):
        scores(pred, bare, "trackml")
    assert scores(pred, bare, "trackml", pt_min=0.0)["num_particles"] == 2
    momentum = {"px": [0.5, 2.0], "py": [0.0] * 2, "pz": [0.0] * 2}
    elsewhere = csv(tmp_path / "parts.csv", particle_id=[BIG, BIG + 2], **momentum)
    assert scores(pred, bare, "trackml", particles=elsewhere)["num_particles"] == 1
    csv(tmp_path / "e1-particles.csv.gz", particle_id=[BIG, BIG + 2], **momentum)
    assert scores(pred, bare, "trackml")["num_particles"] == 1
    own = csv(
        tmp_path / "t.csv", instance=[0, 0, 0, 1, 1, 1, -1], pt=[5.0] * 6 + ["nan"], eta=[0.0] * 7
    )
    m = scores(csv(tmp_path / "q.csv", instance=TRACKS), own, "trackml")
    assert m["num_particles"] == 2 and m["unassigned_fraction"] == pytest.approx(2 / 7)
    with pytest.raises(InputError, match="none.csv: no such file"):
        scores(pred, bare, "trackml", particles=tmp_path / "none.csv")


def test_particles_are_joined_on_particle_id_alone(tmp_path: Path) -> None:
    """Instances 0, 1 are not the particles 1, 2 of a particles file."""
    instance = [0, 0, 0, 1, 1, 1, -1]
    pred = csv(tmp_path / "p.csv", instance=TRACKS)
    truth = csv(tmp_path / "e-truth.csv", instance=instance)
    parts = csv(tmp_path / "x.csv", particle_id=[1, 2], px=[2.0, 2.0], py=[0, 0], pz=[0, 0])
    message = r"e-truth\.csv: the momenta of .*\.csv are joined on particle_id.*'instance'"
    with pytest.raises(InputError, match=message):
        scores(pred, truth, "trackml", particles=parts)
    beside = parts.rename(tmp_path / "e-particles.csv")
    with pytest.raises(InputError, match=message):
        scores(pred, truth, "trackml")
    momentum = {"tpx": [0.5] * 3 + [2.0] * 4, "tpy": [0.0] * 7, "tpz": [0.0] * 7}
    truth = csv(tmp_path / "e-truth.csv", instance=instance, **momentum)
    assert beside.exists() and scores(pred, truth, "trackml")["num_particles"] == 1


@pytest.mark.parametrize("column", ["pt", "eta", "tpx", "tpz"])
@pytest.mark.parametrize("value", ["", "nan", "inf"])
def test_momenta_of_particles_must_be_finite(tmp_path: Path, column: str, value: str) -> None:
    names = ("pt", "eta") if column in ("pt", "eta") else ("tpx", "tpy", "tpz")
    columns: dict[str, list[Any]] = {name: [1.0] * 6 + [value] for name in names}
    ids = {"hit_id": range(1, 8), "particle_id": TRUTH}
    pred = csv(tmp_path / "p.csv", hit_id=range(1, 8), track_id=TRACKS)
    noise_alone = csv(tmp_path / "t.csv", **ids, **columns)
    assert scores(pred, noise_alone, "trackml")["num_particles"] == 2
    columns[column][4] = value
    message = rf"t\.csv: line 6: {column} is not a finite number.*\(1 such row\(s\)\)"
    with pytest.raises(InputError, match=message):
        scores(pred, csv(tmp_path / "t.csv", **ids, **columns), "trackml")


def test_several_events(tmp_path: Path) -> None:
    truth_file(tmp_path)
    truth_file(tmp_path, "event000000008-truth.csv.gz")
    ids = list(range(1, 8))
    pred = csv(
        tmp_path / "p.csv", event_id=[7] * 7 + [8] * 7, hit_id=ids * 2, track_id=TRACKS + [-1] * 7
    )
    metrics = score_files(pred, tmp_path, "trackml")
    assert isinstance(metrics, TrackMetrics)
    assert [m["dm_efficiency"] for m in metrics.events.values()] == [0.5, 0.0]
    assert metrics.compute()["dm_efficiency"] == 0.25
    # One truth file picks its event by the number in its name.
    one = score_files(pred, tmp_path / "event000000008-truth.csv.gz", "trackml").compute()
    assert one["num_particles"] == 2 and one["dm_efficiency"] == 0
    both = csv(
        tmp_path / "both.csv",
        event_id=[7] * 7 + [8] * 7,
        hit_id=ids * 2,
        particle_id=TRUTH * 2,
        pt=[1.0] * 14,
        eta=[0.0] * 14,
    )
    assert score_files(pred, both, "trackml").compute()["dm_efficiency"] == 0.25
    half = csv(tmp_path / "half.csv", event_id=[7] * 7, hit_id=ids, track_id=TRACKS)
    with pytest.raises(InputError, match="event 8 is in .*both.csv alone"):
        score_files(half, both, "trackml")
    with pytest.raises(InputError, match="does not say which one"):
        score_files(pred, truth_file(tmp_path, "t.csv"), "trackml")
    with pytest.raises(InputError, match="no event_id column"):
        score_files(csv(tmp_path / "q.csv", hit_id=ids, track_id=TRACKS), tmp_path, "trackml")
    other = csv(tmp_path / "event000000009-truth.csv", hit_id=ids, particle_id=TRUTH)
    for file, has in ((half, "7"), (pred, "7, 8")):
        with pytest.raises(InputError, match=rf"event 9 of .*truth\.csv is not in .* has {has};"):
            score_files(file, other, "nodes")
    other.unlink()
    odd = csv(tmp_path / "odd.csv", event_id=[9] * 7, hit_id=ids, track_id=TRACKS)
    with pytest.raises(InputError, match="no truth file of event 9"):
        score_files(odd, tmp_path, "trackml")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"hit_id": [1, 2, 3, 4, 5, 6], "track_id": [0] * 6},
            r"p\.csv: 1 of 7 nodes of .*-truth\.csv are missing, first hit_id 7 \(line 8 there\)",
        ),
        (
            {"hit_id": [1, 2, 3, 3, 5, 6, 7], "track_id": [0] * 7},
            r"p\.csv: line 5: hit_id 3 appears a second time \(1 repeated row\(s\)\)",
        ),
        (
            {"hit_id": [1, 2, 3, 4, 5, 99, 98], "track_id": [0] * 7},
            r"p\.csv: line 7: hit_id 99 is not in .*truth\.csv \(2 unknown id\(s\)\)",
        ),
        ({"track_id": [0] * 6}, r"p\.csv: 6 rows, but .*-truth\.csv has 7; give both files"),
        ({"hit_id": range(1, 8)}, r"p\.csv: a prediction needs a column 'instance' or 'track_id'"),
        (
            {"hit_id": range(1, 8), "track_id": [0, 1, 2, "x", 4, 5, 6]},
            r"p\.csv: line 5: column 'track_id'.*'x'",
        ),
        (
            {"hit_id": range(1, 8), "track_id": [0] * 7, "score": [1, 1, "nan", 1, 1, 1, 1]},
            r"p\.csv: line 4: score is not a finite number",
        ),
    ],
)
def test_bad_predictions(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    pred = csv(tmp_path / "p.csv", **columns)
    with pytest.raises(InputError, match=message) as caught:
        scores(pred, truth_file(tmp_path), "trackml")
    assert "\n" not in str(caught.value)


def test_places_in_a_file_of_several_events_are_those_of_the_file(tmp_path: Path) -> None:
    ids = [*range(1, 8), 1, 2, 3, 3, 5, 6, 7]
    pred = csv(tmp_path / "p.csv", event_id=[7] * 7 + [8] * 7, hit_id=ids, track_id=[0] * 14)
    truth = truth_file(tmp_path, "event000000008-truth.csv")
    with pytest.raises(InputError, match=r"p\.csv: line 12: hit_id 3 appears a second time"):
        scores(pred, truth, "trackml")
    np.savez(tmp_path / "p.npz", event_id=[7] * 7 + [8] * 7, hit_id=ids, track_id=[0] * 14)
    (tmp_path / "p.npz").rename(tmp_path / "p.NPZ")
    with pytest.raises(InputError, match=r"p\.NPZ: row 10: hit_id 3 appears a second time"):
        scores(tmp_path / "p.NPZ", truth, "trackml")
    ids[10] = 99
    csv(pred, event_id=[7] * 7 + [8] * 7, hit_id=ids, track_id=[0] * 14)
    with pytest.raises(InputError, match=r"p\.csv: line 12: hit_id 99 is not in"):
        scores(pred, truth, "trackml")


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("ignore", [0, 1, 2, 0, 0, 5, 0], r"line 4: ignore is not 0 or 1, but 2 \(2 such row"),
        ("weight", [1, 1, 1, 1, -0.5, 1, 1], r"line 6: weight is not .* >= 0, but -0\.5 \(1 such"),
        ("weight", ["inf", 1, 1, 1, 1, 1, 1], r"line 2: weight is not a finite .* but inf"),
    ],
)
def test_bad_ignore_and_weight(
    tmp_path: Path, column: str, values: list[Any], message: str
) -> None:
    truth = csv(tmp_path / "t.csv", instance=[0] * 7, **{column: values})
    pred = csv(tmp_path / "p.csv", instance=[0] * 7)
    with pytest.raises(InputError, match=rf"t\.csv: {message}"):
        scores(pred, truth, "nodes")


@pytest.mark.parametrize("window", [{"pt_min": np.inf}, {"eta_max": np.inf}, {"pt_min": -np.inf}])
def test_the_window_is_finite(tmp_path: Path, window: dict[str, float]) -> None:
    truth = truth_file(tmp_path)
    with pytest.raises(InputError, match="pt_min and eta_max must be finite") as caught:
        scores(truth, truth, "trackml", **window)
    assert "\n" not in str(caught.value)


def test_bad_files_and_protocol(tmp_path: Path) -> None:
    truth = truth_file(tmp_path)
    with pytest.raises(InputError, match="'trakml' is unknown; did you mean 'trackml'"):
        scores(truth, truth, "trakml")
    with pytest.raises(InputError, match="no such file"):
        scores(tmp_path / "none.csv", truth, "nodes")
    (tmp_path / "p.txt").write_text("a")
    with pytest.raises(InputError, match="unknown format; give one of .csv"):
        scores(tmp_path / "p.txt", truth, "nodes")
    for name in ("p.npz", "p.ply"):
        (tmp_path / name).write_bytes(b"broken")
        with pytest.raises(InputError, match=f"{name}: cannot be read as"):
            scores(tmp_path / name, truth, "nodes")
    np.savez(tmp_path / "p.npz", instance=np.array([0.5] * 7))
    with pytest.raises(InputError, match=r"p\.npz: array 'instance': value 0\.5 at position 0"):
        scores(tmp_path / "p.npz", truth, "nodes")
    np.savez(tmp_path / "p.npz", track_id=np.zeros(7, int), hit_id=np.ones(7, int))
    with pytest.raises(InputError, match=r"p\.npz: row 1: hit_id 1 appears a second time"):
        scores(tmp_path / "p.npz", truth, "trackml")


def test_real_truth_scores_itself(test_data: Path, tmp_path: Path) -> None:
    truth = test_data / "trackml" / "event000021000-truth.csv.gz"
    m = scores(truth_as_prediction(truth, tmp_path), truth, "trackml")
    assert m["num_particles"] == 1575
    assert m["dm_efficiency"] == m["perfect_efficiency"] == 1
    assert m["trackml_score"] == pytest.approx(1)


def truth_as_prediction(truth: Path, folder: Path) -> Path:
    lines = gzip.decompress(truth.read_bytes()).decode().splitlines()[1:]
    rows = [line.split(",")[:2] for line in lines]
    ids = [int(particle) if particle != "0" else -1 for _, particle in rows]
    return csv(folder / "p.csv", hit_id=[hit for hit, _ in rows], track_id=ids)

"""Files of points through the commands: predicted in their own order, drawn, trained on."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plyfile import PlyData, PlyElement

from geoinfluencer.cli.main import main
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_generator import RoomOptions, generate_room
from geoinfluencer.files.scene_names import S3DIS_CLASSES

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"
TINY = [
    "model.hidden_channels=8", "model.num_layers=1", "train.workers=0", "train.accelerator=cpu",
    "train.normalisation_samples=2", "condensation.radius=0.8", "train.batch_size=1",
    "data.max_nodes=300", "data.max_eval_nodes=400", "data.graph.voxel=0.25",
]  # fmt: skip


@pytest.fixture(scope="module")
def room() -> Room:
    options = RoomOptions(num_points=4_000, min_points=5)
    return generate_room(np.random.default_rng(4), options)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run on synthetic rooms, with classes."""
    folder = str(tmp_path_factory.mktemp("run") / "rooms")
    few = [f"data.{split}_rooms=1" for split in ("train", "calib", "val")]
    settings = [*TINY, *few, "data.num_points=4000", "data.classes=true"]
    arguments = ["train", "--dataset", "synthetic-rooms", "--max-steps", "3", "--out", folder]
    assert main([*arguments, "--set", *settings]) == 0
    return folder


def columns_of(room: Room) -> dict[str, np.ndarray]:
    """The points mixed up, so that a lost order shows, with a property of their own."""
    order = np.random.default_rng(0).permutation(len(room.pos))
    columns = {axis: room.pos[order, i] for i, axis in enumerate("xyz")}
    columns |= {c: room.color[order, i] for i, c in enumerate(("red", "green", "blue"))}
    columns["gps_time"] = np.arange(len(order)) / 3
    columns["instance"] = room.instance[order].astype(np.int32)
    return columns


def write_ply(path: Path, columns: dict[str, np.ndarray], *, text: bool = False) -> Path:
    vertex = np.zeros(len(columns["x"]), [(n, v.dtype) for n, v in columns.items()])
    for name, values in columns.items():
        vertex[name] = values
    PlyData([PlyElement.describe(vertex, "vertex")], text=text).write(str(path))
    return path


def write_csv(path: Path, columns: dict[str, np.ndarray]) -> Path:
    table = np.column_stack(list(columns.values()))
    np.savetxt(path, table, delimiter=",", header=",".join(columns), comments="", fmt="%.17g")
    return path


def write_npz(path: Path, columns: dict[str, np.ndarray]) -> Path:
    pos = np.stack([columns[axis] for axis in "xyz"], 1)
    np.savez(path, pos=pos, **{k: v for k, v in columns.items() if k not in "xyz"})
    return path


def test_a_ply_keeps_order_and_properties(
    run: str, room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = columns_of(room)
    path = write_ply(tmp_path / "my room.ply", columns)
    out = tmp_path / "out"
    options = ["--npz", "--colored", "--columns", "instance=instance"]
    assert main(["predict", str(path), "--checkpoint", run, "--out", str(out), *options]) == 0
    printed = capsys.readouterr().out
    assert "4,000 points" in printed.replace(f"{len(room.pos):,}", "4,000")
    assert "its own 'instance' is kept as 'input_instance'" in printed
    names = ["my room-instances.ply", "my room-predicted.npz", "my room-predicted.ply"]
    assert sorted(p.name for p in out.iterdir()) == [*names, "my room.html"]
    ply = PlyData.read(str(out / "my room-predicted.ply"))
    vertex = ply["vertex"]
    assert ply.byte_order == "<" and f"class 8 {S3DIS_CLASSES[8]}" in ply.comments
    kept = {**columns, "input_instance": columns["instance"]}
    del kept["instance"]
    for name, values in kept.items():
        np.testing.assert_array_equal(vertex[name], values)
        assert vertex.data.dtype[name] == values.dtype
    instance, score = vertex["instance"], vertex["score"]
    assert set(vertex.data.dtype.names) == {*kept, "instance", "semantic", "score"}
    assert instance.min() >= -1 and instance.max() > 0
    assert ((score > 0) == (instance >= 0)).all() and vertex["semantic"].max() < 13
    with np.load(out / "my room-predicted.npz") as arrays:
        np.testing.assert_array_equal(arrays["instance"], instance)
        np.testing.assert_array_equal(arrays["gps_time"], columns["gps_time"])
    colored = PlyData.read(str(out / "my room-instances.ply"))["vertex"]
    tint = np.stack([colored[c] for c in ("red", "green", "blue")], 1)
    for number in np.unique(instance):
        assert len(np.unique(tint[instance == number], axis=0)) == 1
    page = (out / "my room.html").read_text()
    for layer in ("color", "truth", "prediction", "semantic", "error", "embedding", "influencers"):
        assert f'"key":"{layer}"' in page


def test_every_format_and_order_gives_the_same_labels(run: str, room: Room, tmp_path: Path) -> None:
    columns = {name: values for name, values in columns_of(room).items() if name != "instance"}
    folder = tmp_path / "scans"
    folder.mkdir()
    write_ply(folder / "a.ply", columns)
    write_ply(folder / "b.ply", columns, text=True)
    write_csv(folder / "c.csv", columns)
    write_npz(folder / "d.npz", columns)
    mirrored = {name: values[::-1] for name, values in columns.items()}
    write_ply(folder / "e.ply", mirrored)
    out = tmp_path / "out"
    options = ["--checkpoint", f"{run}/checkpoints/best.ckpt", "--out", str(out), "--no-viewer"]
    assert main(["predict", str(folder), *options]) == 0
    assert len(list(out.iterdir())) == 5
    found = {n: PlyData.read(str(out / f"{n}-predicted.ply"))["vertex"] for n in "abcde"}
    for name in "bcd":
        np.testing.assert_array_equal(found[name]["instance"], found["a"]["instance"])
        np.testing.assert_array_equal(found[name]["gps_time"], found["a"]["gps_time"])
    agree = found["e"]["instance"][::-1] == found["a"]["instance"]
    assert agree.mean() > 0.99  # sums over voxels in another order


def test_without_colour_in_millimetres_and_by_names(
    run: str, room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = columns_of(room)
    plain = {axis: columns[axis].astype(np.float64) for axis in "xyz"}
    one = write_csv(tmp_path / "metres.csv", plain)
    east = {"east": 1000 * plain["x"], "north": 1000 * plain["y"], "up": 1000 * plain["z"]}
    two = write_csv(tmp_path / "millimetres.csv", east)
    options = ["--checkpoint", run, "--out", str(tmp_path / "out"), "--no-viewer"]
    assert main(["predict", str(one), *options]) == 0
    assert "no colour; a model trained with data.color_drop does without" in capsys.readouterr().out
    named = ["--columns", "x=east,y=north,z=up", "--unit", "0.001"]
    assert main(["predict", str(two), *options, *named]) == 0
    first, second = (
        PlyData.read(str(tmp_path / "out" / f"{n}-predicted.ply"))["vertex"]
        for n in ("metres", "millimetres")
    )
    assert (first["instance"] == second["instance"]).mean() > 0.99
    np.testing.assert_array_equal(second["east"], east["east"])
    assert main(["predict", str(two), *options, *named[:2]]) == 0
    assert "--unit says what one unit is in metres" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.txt", "x y z\n1 2 3\n1 2 b\n", [], "a.txt: line 3: column 'z' is 'b', not a number; c"),
        ("a.txt", "1 2 3\n1 2\n", [], "a.txt: line 2: '1 2' has 2 values where"),
        ("a.csv", "a,b,c\n1,2,3\n", [], "no column for x, y, z; it has a, b, c; name them with"),
        ("a.ply", "ply\n", [], "a.ply: cannot be read as PLY"),
        ("a.las", "LASF", [], "a.las: unknown format"),
        ("a.txt", "1 2 3\n", ["--columns", "q=1"], "columns 'q=1': 'q' is unknown"),
        ("a.txt", "1 2 3\n", ["--unit", "0"], "0 is not above 0"),
        ("", "", [], "no file of points in it; give some of .ply"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    run: str, tmp_path: Path, name: str, text: str, options: list[str], message: str,
    exit_code: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    if name:
        path.write_text(text)
    out = tmp_path / "out"
    arguments = ["predict", str(path), "--checkpoint", run, "--out", str(out), *options]
    assert exit_code(arguments) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not out.exists() or not list(out.iterdir())


@pytest.fixture
def exit_code() -> Callable[[list[str]], int]:
    def call(arguments: list[str]) -> int:
        try:
            return main(arguments)
        except SystemExit as stop:
            return int(stop.code or 0)

    return call


def test_names_that_clash(
    run: str, room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = columns_of(room)
    paths = [write_ply(tmp_path / "a.ply", columns), write_csv(tmp_path / "a.csv", columns)]
    options = ["--checkpoint", run, "--out", str(tmp_path / "out")]
    assert main(["predict", *map(str, paths), *options]) == 2
    assert "would have the name of those of" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_options_of_points_for_another_checkpoint(
    best: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("x,y,z\n1,2,3\n")
    arguments = ["predict", str(tmp_path / "a.csv"), "--checkpoint", best, "--npz"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert "are for files of points" in capsys.readouterr().err


def test_plot_draws_predictions_and_any_points(
    run: str, room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_ply(tmp_path / "a.ply", columns_of(room))
    out = tmp_path / "out"
    predict = ["predict", str(path), "--checkpoint", run, "--out", str(out), "--no-viewer"]
    assert main(predict) == 0 and main(["plot", str(out)]) == 0
    assert f"page: {out}/a-predicted.html" in capsys.readouterr().out
    page = (out / "a-predicted.html").read_text()
    for layer in ("color", "truth", "prediction", "semantic", "error"):
        assert f'"key":"{layer}"' in page
    assert any(f'"{name} ' in page for name in S3DIS_CLASSES)  # from the comments of the PLY
    assert main(["plot", str(path), "--columns", "color=none"]) == 0
    assert '"key":"height"' in (tmp_path / "a.html").read_text()
    assert main(["plot", str(tmp_path / "nothing")]) == 2


def test_eval_of_rooms_writes_pages(run: str, tmp_path: Path) -> None:
    out = tmp_path / "eval"
    assert main(["eval", "--checkpoint", f"{run}/checkpoints/best.ckpt", "--out", str(out)]) == 0
    (page,) = out.glob("view-*.html")
    assert f'href="{page.name}"' in (out / "report.html").read_text()
    for layer in ("color", "truth", "prediction", "semantic", "error", "embedding", "influencers"):
        assert f'"key":"{layer}"' in page.read_text()
    page.unlink()
    assert main(["plot", str(out)]) == 0 and page.exists()


def test_names_that_ply_has_not_are_said(
    run: str, room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = columns_of(room)
    columns["GPS time"] = columns.pop("gps_time")
    path = write_csv(tmp_path / "a.csv", columns)
    out = ["--out", str(tmp_path / "out"), "--no-viewer"]
    assert main(["predict", str(path), "--checkpoint", run, *out]) == 0
    assert f"{path}: 'GPS time' is called 'GPS_time' in PLY" in capsys.readouterr().out
    vertex = PlyData.read(str(tmp_path / "out" / "a-predicted.ply"))["vertex"]
    np.testing.assert_array_equal(vertex["GPS_time"], columns["GPS time"])


@pytest.mark.usefixtures("no_pictures")
def test_the_documented_line_for_columns_without_names(room: Room, tmp_path: Path) -> None:
    columns = columns_of(room)
    columns["gps_time"] = np.append(room.label, -1)[columns["instance"]]  # column 7
    for name in ("train/a.csv", "val/b.csv"):
        (tmp_path / name).parent.mkdir()
        np.savetxt(tmp_path / name, np.column_stack(list(columns.values())), "%g", ",")
    said = re.search(
        r"--dataset points .*? --set (.*?) data\.graph",
        FORMATS.read_text().replace("\\\n", " "),
        re.S,
    )
    assert said is not None
    settings = [
        s.replace("ground,building,...", ",".join(S3DIS_CLASSES)) for s in shlex.split(said[1])
    ]
    assert settings[:2] == ["data.instance=8", "data.semantic=7"]
    settings = [s.replace("[ground]", "[floor]") for s in settings]
    arguments = ["train", "--dataset", "points", "--data-root", str(tmp_path), "--max-steps", "1"]
    assert main([*arguments, "--out", str(tmp_path / "run"), "--set", *settings, *TINY]) == 0


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("nodes", ["voxels", "superpoints"])
def test_training_on_scans_of_ones_own(room: Room, tmp_path: Path, nodes: str) -> None:
    columns = columns_of(room)
    columns["class"] = np.append(room.label, -1)[columns["instance"]].astype(np.int8)
    root = tmp_path / "scans"
    for name in ("train/a", "train/b", "val/c"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_ply(root / f"{name}.ply", columns)
    settings = [*TINY, "data.semantic=class", f"data.class_names=[{','.join(S3DIS_CLASSES)}]"]
    settings += ["data.background=[floor,wall,ceiling]", f"data.graph.nodes={nodes}"]
    out = tmp_path / "run"
    arguments = ["train", "--dataset", "points", "--data-root", str(root), "--max-steps", "2"]
    assert main([*arguments, "--out", str(out), "--set", *settings]) == 0
    predict = ["predict", str(root / "val"), "--checkpoint", str(out), "--out"]
    assert main([*predict, str(tmp_path / "p")]) == 0
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == ["c-predicted.ply", "c.html"]
    page = (tmp_path / "p" / "c.html").read_text()
    assert ('"key":"superpoints"' in page) == (nodes == "superpoints")

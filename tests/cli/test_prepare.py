from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.cli.main import main
from geoinfluencer.datasets.points import Points
from geoinfluencer.datasets.room_generator import RoomOptions, generate_room
from geoinfluencer.datasets.room_writer import write_s3dis_room


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("s3dis")
    options = RoomOptions(num_points=2_000, min_points=5)
    room = generate_room(np.random.default_rng(4), options)
    write_s3dis_room(room, folder / "Area_1" / "office_1", defects={"nul"})
    write_s3dis_room(room, folder / "Area_5" / "office_1")
    return folder


@pytest.mark.parametrize("workers", [1, 2])
def test_prepare_reads_once(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    arguments = ["prepare", "--dataset", "s3dis", "--data-root", str(root), "--cache-dir"]
    arguments += [str(tmp_path), "--workers", str(workers)]
    assert main(arguments) == 0
    printed, said = capsys.readouterr()
    assert f"s3dis, aligned version: rooms 2, cache {tmp_path}" in printed
    assert "Area_5/office_1: " in printed and "rooms: 2 read, 0 were there; " in printed
    assert "MB/s" in printed and "damaged byte" in said
    assert (
        "2 of 272 rooms (Area_1 1 of 44, Area_2 0 of 40" in said
        and "buildingparser.stanford.edu" in said
    )
    assert len(list(tmp_path.rglob("office_1-*.npy"))) == 2
    assert main(arguments) == 0
    printed, said = capsys.readouterr()
    assert "rooms: 0 read, 2 were there; " in printed and "damaged byte" not in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--dataset", "toy-tracks"],
            "toy-tracks: needs no preparation; s3dis, scannet, stpls3d and points do",
        ),
        (["--dataset", "s3dis"], "--data-root: is missing; fill in the form linked at http"),
        (["--dataset", "scannet", "--data-root", "nowhere"], "nowhere: no scans/SCENE"),
    ],
)
def test_bad_input(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_one_file_is_kept_beside_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.npz"
    np.savez(path, pos=np.random.default_rng(0).random((50, 3)), instance=np.arange(50) // 10)
    arguments = ["prepare", "--dataset", "points", "--data-root", str(path)]
    assert main(arguments) == 0
    assert f"rooms 1, cache {tmp_path / 'geoinfluencer-cache'}" in capsys.readouterr().out
    assert Points(path, "all").event_names == ["one.npz"]
    assert len(list((tmp_path / "geoinfluencer-cache").iterdir())) == 1
    assert main(arguments) == 0
    assert "rooms: 0 read, 1 were there; " in capsys.readouterr().out


@pytest.mark.parametrize("dataset", ["s3dis", "scannet"])
def test_train_without_the_data_says_how_to_get_it(
    dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--dataset", dataset]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "http" in said and "--dataset synthetic-rooms" in said


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("dataset", ["s3dis", "scannet"])
def test_overfit_preset_runs_on_real_rooms(dataset: str, test_data: Path, tmp_path: Path) -> None:
    root = test_data / {"s3dis": "s3dis_room", "scannet": "scannet"}[dataset]
    if not root.is_dir():
        pytest.skip(f"no {root}")
    settings = [
        f"data.cache_dir={tmp_path / 'cache'}", "data.graph.voxel=0.25", "data.max_nodes=300",
        "model.hidden_channels=8", "model.num_layers=1", "train.workers=0",
        "train.accelerator=cpu", "train.normalisation_samples=2",
    ]  # fmt: skip
    arguments = ["train", "--dataset", dataset, "--data-root", str(root), "--preset", "overfit"]
    arguments += ["--max-steps", "2", "--out", str(tmp_path / "run"), "--set", *settings]
    assert main(arguments) == 0
    assert (tmp_path / "run" / "metrics.json").is_file()

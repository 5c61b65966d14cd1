"""``geoinfluencer bench`` as it is typed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from geoinfluencer.bench import peers
from geoinfluencer.bench.contest import Contestant, Problem
from geoinfluencer.bench.tasks import TASKS
from geoinfluencer.bench.watch import Watch
from geoinfluencer.cli.main import main

ROW = {
    "task", "case", "points", "second", "dim", "kind", "threads", "case_threads", "contestant",
    "peer", "version", "note", "skipped", "equal", "max_abs_error", "max_rel_error", "times_ms",
    "disturbed", "median_ms", "min_ms", "max_ms", "peak_mb", "ratio",
}  # fmt: skip


def test_a_small_run_writes_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watch, "quiet", lambda *_: True)
    out = tmp_path / "out"
    arguments = "bench --tasks potential knn --sizes 200 400 800 --dims 3 --kinds clustered"
    arguments += " --peers dense scipy --repeats 2 --threads 1 --max-memory-gb 2"
    assert main([*arguments.split(), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "potential, N = 400, D = 3, clustered, 1 thread" in printed
    assert "growth: knn, D = 3, clustered: geoinfluencer stays within" in printed
    assert f"report: {out}/bench.md" in printed
    report = json.loads((out / "bench.json").read_text())
    assert report["machine"]["cores"] >= 1 and report["machine"]["torch"] == torch.__version__
    assert report["budget"] == {"seconds": 30.0, "memory_gb": 2.0, "repeats": 2}
    assert len(report["rows"]) == 2 * 3 * 3
    for row in report["rows"]:
        assert set(row) >= ROW and row["equal"] and len(row["times_ms"]) == 2
    ours = [row for row in report["rows"] if row["task"] == "potential" and "gflops" in row]
    assert [row["points"] for row in ours] == [200, 400, 800]
    assert all(0 < row["matmul_share"] < 1 for row in ours)
    drawn = {path.name for path in (out / "plots").iterdir()}
    assert drawn == {
        "ratios-knn.png", "ratios-potential.png", "growth-knn-d3-clustered.png",
        "growth-potential-d3-clustered.png",
    }  # fmt: skip
    assert "# Benchmark" in (out / "bench.md").read_text()


def test_ours_alone(tmp_path: Path) -> None:
    arguments = "bench --preset quick --tasks knn --points 300 --peers none --repeats 1 --out"
    assert main([*arguments.split(), str(tmp_path)]) == 0
    (row,) = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert row["contestant"] == "geoinfluencer"


def test_an_interrupted_curve_keeps_what_was_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[int] = []
    run = TASKS["knn"].ours.run

    def spy(p: Problem) -> torch.Tensor:
        seen.append(p.case.points)
        if seen.count(400) > 3:
            raise KeyboardInterrupt
        return run(p)

    task = replace(TASKS["knn"], contestants=(Contestant(peers.OURS, spy),))
    monkeypatch.setitem(TASKS, "knn", task)
    arguments = "bench --tasks knn --sizes 200 400 --dims 3 --kinds random --peers none --out"
    assert main([*arguments.split(), str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().err
    rows = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert [row["points"] for row in rows] == [200]
    assert len(rows[0]["times_ms"]) == 1 and rows[0]["peak_mb"] is None


def test_who_had_no_turn_before_the_interruption_is_in_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def interrupted(p: Problem) -> torch.Tensor:
        asked.append(p.case.points)
        if len(asked) > 1:  # compared, then Ctrl-C in its first turn
            raise KeyboardInterrupt
        return TASKS["segment-sum"].ours.run(p)

    ours = TASKS["segment-sum"].ours
    task = replace(TASKS["segment-sum"], contestants=(ours, Contestant("torch", interrupted)))
    monkeypatch.setitem(TASKS, "segment-sum", task)
    arguments = "bench --tasks segment-sum --points 200 --dims 3 --peers torch --out"
    assert main([*arguments.split(), str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().err
    (row,) = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert row["contestant"] == peers.OURS and len(row["times_ms"]) == 1


def test_a_peer_that_does_none_of_the_tasks_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = "bench --tasks fps --points 300 --dims 3 --peers scipy --repeats 1 --out"
    assert main([*arguments.split(), str(tmp_path)]) == 0
    assert "nothing to time: scipy does none of these tasks" in capsys.readouterr().out


def test_a_folder_that_takes_no_files_is_said_before_the_timing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    arguments = "bench --preset quick --tasks knn --points 300 --peers none --out"
    assert main([*arguments.split(), str(tmp_path)]) == 2
    assert "cannot write there (Permission denied)" in capsys.readouterr().err


def test_a_result_that_differs_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = TASKS["segment-sum"]
    wrong = Contestant("torch", lambda p: 2 * task.ours.run(p))
    monkeypatch.setitem(
        TASKS, "segment-sum", task.__class__(**{**vars(task), "contestants": (task.ours, wrong)})
    )
    arguments = "bench --tasks segment-sum --points 100 --dims 2 --repeats 1 --out"
    assert main([*arguments.split(), str(tmp_path)]) == 1
    assert "torch: its result differs from ours" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("--tasks potentail", "did you mean 'potential'"),
        ("--kinds cluster", "did you mean 'clustered'"),
        ("--preset tabel", "did you mean 'table'"),
        ("--preset growth --kinds ball", "none of its cases"),
        ("--peers scypi", "did you mean 'scipy'"),
        ("--require scypi", "did you mean 'scipy'"),
        ("--dims 65", "not between 1 and 64"),
        ("--dims x", "x is not between 1 and 64"),
        ("--points 10000000000 --dims 8", "--points"),
        ("--points 3", "--points"),
        ("--points 100 --sizes 200", "not allowed with"),
        ("--threads 4096", "--threads 4096: this process may use"),
        ("--repeats 0", "--repeats"),
        ("--max-memory-gb 0", "--max-memory-gb"),
        ("--device tpu", "--device"),
        ("--out=", "is empty"),
        ("--out {tmp}/file", "cannot write there"),
    ],
)
def test_bad_input(
    arguments: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    command = ["bench", *arguments.format(tmp=tmp_path).split()]
    try:
        code = main(command)
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and named in error and error.count("\n") == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--device", "cuda"]) == 2
    assert "no usable GPU" in capsys.readouterr().err


def test_a_required_peer_that_is_missing_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = peers.Peer("no_such_module_here", "torch-cluster", "pip install it")
    monkeypatch.setitem(peers.PEERS, "torch_cluster", gone)
    assert main(["bench", "--require", "torch_cluster"]) == 2
    assert "--require torch_cluster: it is not installed here; pip install it" in (
        capsys.readouterr().err
    )

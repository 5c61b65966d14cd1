"""Whatever is wrong with the input: one line on standard error, exit code 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoinfluencer.cli.main import main
from geoinfluencer.errors import InputError

TOYS = "train --dataset toy-tracks"

CASES = [
    ("", "COMMAND"),
    ("trian", "invalid choice: 'trian'"),
    ("train", "--dataset"),
    ("train --dataset toy-trakcs", "did you mean 'toy-tracks'"),
    ("train --dataset no_such_module:Class", "cannot import 'no_such_module'"),
    ("train --dataset os:path", "is not a torch_geometric.data.Dataset"),
    ("train --dataset trackml", "--data-root"),
    ("train --dataset trackml --data-root {tmp}/nowhere", "no such folder"),
    ("train --dataset trackml --data-root {tmp}/empty", "no TrackML events"),
    (f"{TOYS} --preset fast", "unknown preset"),
    (f"{TOYS} --config {{tmp}}/none.yaml", "no such configuration file"),
    (f"{TOYS} --config {{tmp}}/empty", "is a folder"),
    (f"{TOYS} --config {{tmp}}/bad.yaml", "bad.yaml:2: unknown key 'train.max_step'"),
    (f"{TOYS} --config {{tmp}}/broken.yaml", "broken.yaml:2: not valid YAML"),
    (f"{TOYS} --set train.max_steps", "expected section.key=value"),
    (f"{TOYS} --set train.max_steps=many", "got 'many'"),
    (f"{TOYS} --set data.dim=5", "dim"),
    (f"{TOYS} --set model.encoder=magic", "magic"),
    (f"{TOYS} --set train=3", "train is a section"),
    (f"{TOYS} --set model.hidden_channels=-5", "model.hidden_channels is -5"),
    (f"{TOYS} --set train.learning_rate=1e400", "learning_rate"),
    ("train --dataset shapes --set model.stem=conv", "--set data.pixels=true"),
    (f"{TOYS} --seed 99999999999999999999", "seed"),
    (f"{TOYS} --preset=", "preset"),
    (f"{TOYS} --out=", "is empty"),
    (f"{TOYS} --max-steps 0", "--max-steps"),
    (f"{TOYS} --max-steps x", "--max-steps"),
    (f"{TOYS} --max-minutes 0", "--max-minutes"),
    (f"{TOYS} --seed -1", "--seed"),
    (f"{TOYS} --unheard", "--unheard"),
    (f"{TOYS} --out {{tmp}}/file", "is a file"),
    (f"{TOYS} --out {{tmp}}", "no run of this program"),
    (f"{TOYS} --out {{tmp}}/file/sub", "cannot write there"),
    (f"{TOYS} --resume {{tmp}}/none.ckpt", "no such checkpoint"),
    (f"{TOYS} --resume auto --out {{tmp}}/empty", "no checkpoints/last.ckpt"),
    (f"{TOYS} --resume auto", "no unfinished run"),
    ("train --dataset trackml --resume {best}", "is a run on toy-tracks"),
    ("eval", "--checkpoint"),
    ("eval --checkpoint {tmp}/none.ckpt", "no such checkpoint"),
    ("eval --checkpoint {tmp}/file", "not a readable checkpoint"),
    ("eval --checkpoint {best} --split validation", "--split"),
    ("eval --checkpoint {best} --dataset toy-trakcs", "did you mean 'toy-tracks'"),
    ("eval --checkpoint {best} --dataset trackml", "--data-root"),
    ("eval --checkpoint {best} --set data.pt_mni=1", "did you mean 'pt_min'"),
    ("eval --checkpoint {best} --pt-min 1", "--set data.pt_min"),
    ("eval --checkpoint {best} --pred {tmp}/file", "not both"),
    ("eval --checkpoint {best} --max-dets 5", "--max-dets: is for files"),
    ("eval --pred a.csv --truth b.csv --protocol nodes --max-dets 5", "not for --protocol nodes"),
    ("eval --checkpoint {best} --boundary", "--boundary: is for files"),
    ("eval --pred a.json --truth b.json --protocol coco --pt-min 1", "not for --protocol coco"),
    ("eval --pred a.json --truth b.json --protocol coco --max-dets 0", "--max-dets"),
    ("eval --pred a.json --truth b.json --protocol coco", "a.json: no such results file"),
    ("eval --pred {tmp}/file --truth {tmp}/file --protocol coco", "cannot be read as JSON"),
    ("eval --checkpoint {best} --stuff wall", "--stuff: is for files of scenes"),
    ("eval --pred a --truth b --protocol nodes --partial", "--partial: is not for --protocol n"),
    ("eval --pred a --truth b --protocol s3dis --pt-min 1", "--pt-min: is not for --protocol s"),
    ("eval --pred a --truth b --protocol s3dis --min-points 5", "--min-points: is not for"),
    ("eval --pred a --truth b --protocol scannet --classes scanet", "did you mean 'scannet'"),
    ("eval --pred a --truth b --protocol panoptic --stuff flor", "did you mean 'floor'"),
    ("eval --pred a --truth b --protocol scannet --pred-names x=y", "--pred-names x=y: expected"),
    ("eval --pred {tmp}/none --truth {tmp}/empty --protocol scannet", "no such file or folder"),
    ("eval --pred {tmp}/empty --truth {tmp}/empty --protocol s3dis", "no .txt, .ply, .npz file"),
    ("eval --checkpoint {best} --out {run}", "holds a training run"),
    ("eval --pred {tmp}/file --truth {tmp}/file", "--protocol"),
    ("eval --pred {tmp}/none.csv --truth {tmp}/none.csv --protocol trackml", "no such file"),
    ("eval --pred {tmp}/file --truth {tmp}/file --protocol trackml", "unknown format"),
    ("eval --pred a.csv --truth b.csv --protocol trackml --split val", "--split: is for checkp"),
    ("eval --checkpoint {best} --set model.hidden_channels=3", "fixed by the checkpoint"),
    ("eval --checkpoint {best} --set data.eta_max=.inf", "eta_max"),
    ("eval --pred {tmp}/file --truth {tmp}/file --protocol trackm", "did you mean 'trackml'"),
    ("predict --checkpoint {best} {tmp}/none --out {tmp}/p", "no such file"),
    ("predict --checkpoint {best} {tmp}/empty --out {tmp}/p", "no TrackML events"),
    ("predict --checkpoint {best} {tmp}/file --out {tmp}/p", "not a hits file"),
    ("predict --checkpoint {best} --out {tmp}/p", "INPUT"),
    ("plot {tmp}/nowhere", "no such run folder"),
    ("plot {tmp}/empty", "name the folder of a run"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with things that are not what they should be."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("some text\n")
    (tmp_path / "bad.yaml").write_text("train:\n  max_step: 3\n")
    (tmp_path / "broken.yaml").write_text("train: {max_steps: 3\n")
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[case[0] or "nothing" for case in CASES])
def test_one_line_and_exit_code_2(
    line: str,
    expected: str,
    place: Path,
    run_folder: Path,
    best: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    before = sorted(place.rglob("*"))
    filled = line.format(tmp=place, best=best, run=run_folder)
    try:
        code = main(filled.split())
    except SystemExit as stop:  # argparse
        code = int(stop.code or 0)
    errors = capsys.readouterr().err
    assert code == 2, errors
    assert len(errors.splitlines()) == 1 and expected in errors, errors
    assert errors.startswith("geoinfluencer") and ": error: " in errors
    left = [path for path in sorted(place.rglob("*")) if path not in before]
    assert [path for path in left if path.is_file()] == []


def test_debug_shows_the_traceback(place: Path) -> None:
    with pytest.raises(InputError, match="no such run folder"):
        main(["plot", str(place / "nowhere"), "--debug"])


def test_interrupt_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> dict[str, dict[str, str]]:
        raise KeyboardInterrupt

    monkeypatch.setattr("geoinfluencer.cli.findings.findings", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "geoinfluencer: interrupted\n"

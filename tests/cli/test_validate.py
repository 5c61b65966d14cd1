from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geoinfluencer.cli.main import main

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")


def write(folder: Path, **annotation: Any) -> Path:
    entry = {"id": 5, "image_id": 7, "category_id": 1, "segmentation": [[1, 1, 5, 1, 5, 4]]}
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": 8, "height": 6}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [entry | annotation],
    }
    path = folder / "set.json"
    path.write_text(json.dumps(content))
    return path


def test_a_clean_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path)
    assert main(["validate", str(path)]) == 0
    assert capsys.readouterr().out == (
        f"{path} (masks): 1 images, 1 annotations, 1 categories; 0 errors, 0 warnings\n"
    )
    assert main(["validate", str(write(tmp_path, id=0))]) == 0
    assert "warning: annotation 0: " in capsys.readouterr().out


def test_lines_in_segmentation_are_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, segmentation=[[1, 3.5, 7, 3.5]])
    assert main(["validate", str(path), "--line-category-id", "1"]) == 0
    out = capsys.readouterr().out
    assert f"{path} (lines): " in out
    assert out.startswith(
        "taken for lines because 1 of 1 annotations have a segmentation of two points and no area; "
        "--kind masks otherwise\n"
    )
    assert main(["validate", str(path)]) == 2  # train takes no other category than 2 either
    assert (
        "error: annotations: no annotation has category_id 2, only 1; say which one is lines "
        "(line_category_id, on the command line --line-category-id)\n"
    ) in capsys.readouterr().out
    assert main(["validate", str(path), "--kind", "masks"]) == 2
    assert "a polygon must be a list of at least three x, y" in capsys.readouterr().out


def test_faults_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, category_id=4, segmentation=[[1, 1, 2]])
    assert main(["validate", str(path), "--images", str(tmp_path)]) == 2
    out = capsys.readouterr().out
    assert "error: annotation 5: has category_id 4" in out
    assert "error: annotation 5: a polygon must be" in out
    assert "error: image 7: " in out and "a.png: no such image" in out
    assert "3 errors, 0 warnings" in out


def test_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, image_id=8)
    assert main(["validate", str(path), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["errors"], found["warnings"]) == ("masks", 1, 0)
    fault = next(each for each in found["findings"] if each["level"] == "error")
    assert (fault["where"], fault["kind"]) == ("annotation 5", "no-image")


def test_long_lists_are_cut_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path)
    content = json.loads(path.read_text())
    content["annotations"] = [
        {**content["annotations"][0], "id": i + 1, "category_id": 9} for i in range(13)
    ]
    path.write_text(json.dumps(content))
    assert main(["validate", str(path)]) == 2
    out = capsys.readouterr().out
    assert out.count("which is not in categories") == 10
    assert "... and 3 more of the kind no-category (--all shows them)" in out
    assert main(["validate", str(path), "--all"]) == 2
    assert capsys.readouterr().out.count("which is not in categories") == 13


def test_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(tmp_path / "none.json")]) == 2
    assert "none.json: no such annotation file" in capsys.readouterr().err
    assert main(["validate", str(write(tmp_path)), "--images", str(tmp_path / "no")]) == 2
    assert "no such folder" in capsys.readouterr().err


def ub_pmc(path: Path, *lines: list[tuple[float, float]]) -> None:
    elements = {"lines": [[{"x": x, "y": y} for x, y in line] for line in lines]}
    path.write_text(json.dumps({"task6": {"output": {"visual elements": elements}}}))


def test_ub_pmc(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, images = tmp_path / "json", tmp_path / "images"
    for each in (folder, images):
        each.mkdir()
    ub_pmc(folder / "a.json", [(1, 1), (7, 5)])
    Image.new("L", (8, 6)).save(images / "a.png")
    for path in (folder, folder / "a.json"):
        assert main(["validate", str(path), "--images", str(images)]) == 0
        assert capsys.readouterr().out == (
            f"{path} (lines): 1 files of UB-PMC; 0 errors, 0 warnings\n"
        )
    ub_pmc(folder / "b.json", [(1, 1), (7, float("nan"))], [(1, 1)], [(1, 1), (20, 1)])
    (folder / "c.json").write_text("{}")
    Image.new("L", (8, 6)).save(images / "b.png")
    assert main(["validate", str(folder), "--images", str(images)]) == 2
    out = capsys.readouterr().out
    assert f"error: {folder / 'b.json'}: line 0: its line has values that are not finite" in out
    assert f"warning: {folder / 'b.json'}: line 1: its line has a single point" in out
    assert f"warning: {folder / 'b.json'}: line 2: its line reaches 12.0 pixels beyond" in out
    assert f"error: {folder / 'c.json'}: has no image of that name" in out
    assert f"error: {folder / 'c.json'}: has no task6.output" in out
    assert "3 files of UB-PMC; 3 errors, 2 warnings" in out


def test_options_that_do_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ub_pmc(tmp_path / "a.json", [(1, 1), (7, 5)])
    assert main(["validate", str(tmp_path), "--kind", "masks"]) == 2
    assert "UB-PMC's annotations are lines; leave out --kind masks" in capsys.readouterr().err
    assert main(["validate", str(write(tmp_path)), "--line-category-id", "1"]) == 2
    assert "--line-category-id: is for lines" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["validate", str(tmp_path / "empty")]) == 2
    assert "empty: holds no JSON files" in capsys.readouterr().err


def test_a_mixed_file_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path)
    content = json.loads(path.read_text())
    content["annotations"].append({**content["annotations"][0], "id": 6})
    content["annotations"].append(content["annotations"][0] | {"id": 7, "segmentation": [[1] * 4]})
    path.write_text(json.dumps(content))
    assert main(["validate", str(path)]) == 2
    out = capsys.readouterr().out
    assert out.startswith("taken for masks because 2 of 3 annotations have a run-length mask, or ")
    assert "; --kind lines otherwise\nerror: annotation 7: a polygon must be" in out
    assert main(["validate", str(path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["reason"].startswith("2 of 3 annotations have")

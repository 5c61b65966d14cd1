"""Annotated lines of charts: every layout, what is refused, and our own files there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import flat_polyline, read_chart_images
from geoinfluencer.files.line_results import (
    line_entry,
    read_chart_lines,
    write_lines_csv,
    write_lines_json,
)
from geoinfluencer.files.ub_pmc import read_ub_pmc

LINE: list[float] = [1, 2, 3, 4.5, 5, 6]
POINTS: list[list[float]] = [[1, 2], [3, 4.5], [5, 6]]


def annotation(number: int, category: int = 2, image: int = 0, **fields: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": category, **fields}


def write(path: Path, *annotations: Any, categories: Any = None, **more: Any) -> Path:
    images = [{"id": 0, "file_name": "a.png", "width": 40, "height": 30}]
    content = {"images": images, "annotations": list(annotations), **more}
    if categories is not None:
        content["categories"] = categories
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    "values", [LINE, POINTS, [{"x": p[0], "y": p[1]} for p in POINTS], tuple(LINE)]
)
def test_points_in_every_form(values: Any) -> None:
    found = flat_polyline(values, "here")
    assert found.dtype == np.float32 and found.tolist() == POINTS


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], r"its line is \[\]"),
        (None, "its line is None"),
        ({"counts": "x"}, "its line is"),
        ([1, 2, 3], "3 values, an odd number"),
        ([[1, 2, 3]], "have 3 values"),
        ([1, "b"], "no number"),
        ([[1, 2], [3]], "no number"),
        ([{"x": 1}], "no number"),
        ([1, float("nan")], "not finite"),
        ([1, float("inf")], "not finite"),
        ([1, 1e39], "not finite"),  # in float32
    ],
)
def test_what_is_no_line(values: Any, words: str) -> None:
    with pytest.raises(InputError, match=f"f.json: annotation 7: .*{words}"):
        flat_polyline(values, "f.json: annotation 7")


def test_lines_lie_flat_in_bbox(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.json",
        annotation(0, bbox=LINE, segmentation=[]),
        annotation(4, bbox=LINE, segmentation=[[9, 9, 9, 8]]),  # more numbers than a box has
        annotation(5, bbox=[1, 1, 2, 2], segmentation=[[]]),
    )
    (image,) = read_chart_images(file)
    assert (image.id, image.file_name, image.width, image.height) == (0, "a.png", 40, 30)
    assert [each.tolist() for each in image.lines] == [POINTS, POINTS, [[1, 1], [2, 2]]]


def test_lines_lie_in_segmentation(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.json",
        annotation(1, bbox=[0, 0, 9, 9], segmentation=[LINE]),
        annotation(2, segmentation=LINE),
        annotation(3, segmentation=[LINE, [7, 7, 8, 8]]),
    )
    (image,) = read_chart_images(file)
    assert [each.tolist() for each in image.lines] == [POINTS, POINTS, [*POINTS, [7, 7], [8, 8]]]
    assert [len(each) for each in image.pieces] == [1, 1, 2]


def test_category_of_lines(tmp_path: Path) -> None:
    both = [annotation(1, category=0, bbox=LINE), annotation(2, category=5, bbox=[0, 0, 1, 1])]
    plain = write(tmp_path / "plain.json", *both)
    (first,) = read_chart_images(plain, category_id=0)[0].lines
    (second,) = read_chart_images(plain, category_id=5)[0].lines
    assert first.tolist() == POINTS and second.tolist() == [[0, 0], [1, 1]]
    with pytest.raises(InputError, match=r"categories 0, 5; say which one .*--line-category-id"):
        read_chart_images(plain)
    with pytest.raises(InputError, match="no annotation has category_id 2, only 0, 5; say which"):
        read_chart_images(plain, category_id=2)
    names = [{"id": 0, "name": "chart"}, {"id": 5, "name": "Line"}]
    named = write(tmp_path / "named.json", *both, categories=names)
    assert read_chart_images(named)[0].lines[0].tolist() == [[0, 0], [1, 1]]
    only = write(tmp_path / "only.json", both[1], categories=names[:1])
    assert len(read_chart_images(only)[0].lines) == 1


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (annotation(3, bbox=[1, 2, 3, 4, 5]), "annotation 3: bbox: its line has 5 values"),
        (annotation(3, segmentation={"counts": "ab"}), "annotation 3: segmentation: .* is a dict"),
        (annotation(3), "annotation 3: bbox: its line is None"),
        (annotation(3, image=8, bbox=LINE), "annotation 3 is of image 8, which is not in images"),
        (
            {"image_id": 0, "category_id": 2, "bbox": [1]},
            "annotation at place 0: bbox: .* 1 values",
        ),
        ({"id": 3, "image_id": 0}, "has category_id None"),
        (7, "annotation at place 0 has category_id None"),
        (annotation("x", bbox=LINE), "annotation at place 0 has id 'x'"),  # type: ignore[arg-type]
    ],
)
def test_bad_annotations_are_named(tmp_path: Path, entry: Any, words: str) -> None:
    with pytest.raises(InputError, match=f"bad.json: .*{words}" if words[0] == "h" else words):
        read_chart_images(write(tmp_path / "bad.json", entry))


def test_bad_images_are_named(tmp_path: Path) -> None:
    for images, words in (
        ([{"id": 0, "file_name": "a"}, {"id": 0, "file_name": "b"}], "image 0 is there twice"),
        ([{"id": 0}], "image 0 has no file_name"),
        ([{"id": 0, "file_name": "a", "width": 0}], "image 0 has width 0"),
    ):
        with pytest.raises(InputError, match=words):
            read_chart_images(write(tmp_path / "bad.json", images=images))


def test_ub_pmc(tmp_path: Path) -> None:
    elements: dict[str, Any] = {"lines": [[{"x": 1, "y": 2}, {"x": 3, "y": 4}]]}
    for content in ({"task6": {"output": {"visual elements": elements}}},
                    {"task6_output": {"visual elements": elements}}):  # fmt: skip
        file = tmp_path / "PMC1.json"
        file.write_text(json.dumps(content))
        assert [each.tolist() for each in read_ub_pmc(file)] == [[[1, 2], [3, 4]]]
        assert list(read_chart_lines(file)) == ["PMC1"]
    elements["lines"].append([{"x": 1, "y": "b"}])
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"PMC1.json: line 1: .*no number"):
        read_ub_pmc(file)
    file.write_text(json.dumps({"task6": None}))
    with pytest.raises(InputError, match="no task6.output"):
        read_ub_pmc(file)
    with pytest.raises(InputError, match="holds no lines"):
        read_chart_lines(file)


def test_our_files_there_and_back(tmp_path: Path) -> None:
    first, second = np.array(POINTS, np.float32), np.array([[0.126, 7]], np.float32)
    images = [("a,b", [line_entry(first, 0.75), line_entry(second, 1)]), ('q"', []), ("c", [])]
    path = tmp_path / "lines.json"
    write_lines_json(path, iter(images))
    found = read_chart_lines(path)
    assert list(found) == ["a,b", 'q"', "c"] and found["c"] == []
    assert [each.tolist() for each in found["a,b"]] == [POINTS, [[pytest.approx(0.13), 7]]]
    table = tmp_path / "lines.csv"
    write_lines_csv(table, iter(images))
    rows = pd.read_csv(table)
    assert list(rows) == ["image", "line", "order", "x", "y", "score"]
    assert rows["image"].tolist() == ["a,b"] * 4
    assert rows["line"].tolist() == [0, 0, 0, 1] and rows["order"].tolist() == [0, 1, 2, 0]
    assert rows[["x", "y", "score"]].to_numpy().tolist() == [
        [1, 2, 0.75], [3, 4.5, 0.75], [5, 6, 0.75], [0.13, 7, 1],
    ]  # fmt: skip


def test_nothing_found_is_a_file_too(tmp_path: Path) -> None:
    write_lines_json(tmp_path / "lines.json", [])
    assert read_chart_lines(tmp_path / "lines.json") == {}
    write_lines_csv(tmp_path / "lines.csv", [])
    assert (tmp_path / "lines.csv").read_text() == "image,line,order,x,y,score\n"


def test_a_failure_leaves_the_old_files(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    write_lines_json(path, [("a", [])])
    before = path.read_bytes()

    def broken() -> Any:
        yield "b", []
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_lines_json(path, broken())
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_bad_files_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    for lines, words in (([{"score": 1}], "has no 'xy'"), ([{"xy": [[1, 2], [3]]}], "no number")):
        path.write_text(json.dumps({"lines": {"a": lines}}))
        with pytest.raises(InputError, match=f"lines.json: image 'a', line 0: ?.*{words}"):
            read_chart_lines(path)
    path.write_text('{"lines": {"a": null}}')
    with pytest.raises(InputError, match="lines.json: image 'a' has None; give a list of lines"):
        read_chart_lines(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: holds no JSON files"):
        read_chart_lines(tmp_path / "empty")

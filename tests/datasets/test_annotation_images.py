"""Image files that annotations name, and lines drawn on them, against what is stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoinfluencer.datasets.annotation_images import check_image_files
from geoinfluencer.errors import InputError

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")


def test_files_of_images(tmp_path: Path) -> None:
    content: dict[str, Any] = {"categories": [], "annotations": []}
    content["images"] = [
        {"id": 7, "file_name": "a.png", "width": 8, "height": 6},
        {"id": 8, "file_name": "turned.png", "width": 8, "height": 6},
        {"id": 9, "file_name": "text.png", "width": 8, "height": 6},
        {"id": 10, "file_name": "none.png", "width": 8, "height": 6},
        {"id": 11, "file_name": "a.png", "width": 6, "height": 8},
        {"id": 12, "file_name": "cut.jpg", "width": 8, "height": 6},
        {"id": 13, "file_name": "a.png", "width": "8", "height": 6},  # the other check says so
    ]
    pixels = Image.fromarray(np.zeros((6, 8), np.uint8))
    pixels.save(tmp_path / "a.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels.save(tmp_path / "turned.png", exif=exif)
    (tmp_path / "text.png").write_text("no image")
    noise = np.random.default_rng(0).integers(0, 255, (6, 8), np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:-20])
    found = [(each.level, each.kind, each.where) for each in check_image_files(content, tmp_path)]
    assert found == [
        ("info", "image-turned", "image 8"),
        ("error", "image-unreadable", "image 9"),
        ("error", "image-missing", "image 10"),
        ("error", "image-size", "image 11"),
        ("error", "image-unreadable", "image 12"),
    ]
    with pytest.raises(InputError, match="nowhere: no such folder"):
        list(check_image_files(content, tmp_path / "nowhere"))


@pytest.mark.parametrize("stated", [None, (200, 200), (60, 40), (40, 60)])
def test_lines_are_checked_against_the_images_themselves(
    tmp_path: Path, stated: tuple[int, int] | None
) -> None:
    """Of 60 x 40 pixels; one point lies 20 pixels to the right, another 30 below."""
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(tmp_path / "a.png")
    image: dict[str, Any] = {"id": 0, "file_name": "a.png"}
    if stated is not None:
        image |= dict(zip(("width", "height"), stated, strict=True))
    lines = ([5, 20, 80, 20, 50, 10], [5, 70, 50, 30, 40, 30], [5, 5, 60.5, 20, 59, 40.9])
    entries: list[dict[str, Any]] = [
        {"id": k, "image_id": 0, "category_id": 2, "bbox": line} for k, line in enumerate(lines, 1)
    ]
    entries.append({"id": 9, "image_id": 0, "category_id": 3, "bbox": [90, 90, 9, 9, 9, 9]})
    entries.append({"id": 10, "image_id": None, "category_id": 2, "bbox": [90, 90, 9, 9]})
    content = {
        "images": [image], "annotations": entries,
        "categories": [{"id": 2, "name": "line"}, {"id": 3, "name": "text"}],
    }  # fmt: skip
    found = [each for each in check_image_files(content, tmp_path, kind="lines")]
    texts = {each.where: each.text for each in found if each.kind == "points-beyond"}
    if stated == (60, 40):  # then it is the other check that compares
        assert texts == {} and not found
        return
    assert list(texts) == ["annotation 1", "annotation 2"]
    assert texts["annotation 1"] == "its line reaches 20.0 pixels beyond its image of 60 x 40"
    assert "reaches 30.0 pixels" in texts["annotation 2"]
    assert ("image-size" in {each.kind for each in found}) is (stated is not None)
    masks = [each for each in check_image_files(content, tmp_path) if each.kind == "points-beyond"]
    assert masks == []

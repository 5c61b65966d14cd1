"""Images of annotation files by the names of their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_images import ImageList


def listed(folder: Path, *images: tuple[int, str], **more: Any) -> ImageList:
    path = folder / "truth.json"
    path.write_text(json.dumps({"images": [{"id": i, "file_name": n, **more} for i, n in images]}))
    return ImageList(path)


def test_by_name_with_folders_or_by_its_last_part(tmp_path: Path) -> None:
    images = listed(tmp_path, (7, "a/1.png"), (8, "b/1.png"), (0, "val/2.png"), (9, "./3.png"))
    assert [images.find(name).id for name in ("a/1.png", "b/1.png", "val/2.png")] == [7, 8, 0]
    assert images.find("2.png").id == images.find("other/2.png").id == 0
    assert images.find("3.png").id == 9 and images.find("3.png").size is None
    sized = listed(tmp_path, (1, "x.png"), width=4, height=3)
    assert sized.find("x.png").size == (4, 3)


def test_names_that_are_not_there_or_not_clear(tmp_path: Path) -> None:
    images = listed(tmp_path, (7, "a/1.png"), (8, "b/1.png"))
    with pytest.raises(InputError, match=r"truth.json: has no image with file_name c/4.png; give"):
        images.find("c/4.png")
    with pytest.raises(InputError, match=r"file_name 1.png; 2 images are called 1.png; give the f"):
        images.find("1.png")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "has no images"),
        ('{"images": []}', "has no images"),
        ('{"images": [{"id": "x", "file_name": "a"}]}', "image at place 0 has id 'x'"),
        ('{"images": [{"id": 3}]}', "image 3 has file_name None; give it one"),
        (
            '{"images": [{"id": 3, "file_name": "a"}, {"id": 4, "file_name": "a"}]}',
            "images 3 and 4 both have file_name a",
        ),
        (
            '{"images": [{"id": 3, "file_name": "a"}, {"id": 3, "file_name": "b"}]}',
            "image 3 is there twice",
        ),
        ("{", "cannot be read as JSON"),
    ],
)
def test_wrong_lists(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(InputError, match=f"t.json: {said}"):
        ImageList(tmp_path / "t.json")

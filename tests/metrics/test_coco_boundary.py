"""Boundary AP: borders by definition, and scores that can be counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoinfluencer.metrics import score_files
from geoinfluencer.metrics.coco_boundary import border, border_code

mask = pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.integers(0, 2**31))
def test_a_border_is_what_erosion_takes(h: int, w: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).random((h, w)) < 0.9
    padded = np.pad(pixels, width)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * width + 1,) * 2)
    assert np.array_equal(border(pixels, width), pixels & ~windows.all((2, 3)))


@pytest.mark.parametrize(("size", "width"), [((6, 8), 1), ((60, 80), 2), ((300, 400), 10)])
def test_the_width_is_of_the_diagonal(size: tuple[int, int], width: int) -> None:
    pixels = np.zeros(size, np.uint8, order="F")
    pixels[1:, 2:] = 1
    found = np.asarray(mask.decode(border_code(mask.encode(pixels)))).astype(bool)
    assert np.array_equal(found, border(pixels.astype(bool), width))
    nothing = mask.encode(np.zeros(size, np.uint8, order="F"))
    assert mask.area(border_code(nothing)) == 0


def box(x: float) -> list[list[float]]:
    return [[x, 2, x + 20, 2, x + 20, 22, x, 22]]


def boundary(folder: Path, place: float) -> dict[str, Any]:
    """Of a 20 x 20 square found at ``place`` that is at 4, in an image of 30 x 40."""
    truth = {
        "images": [{"id": 1, "width": 40, "height": 30}],
        "categories": [{"id": 1}],
        "annotations": [{"image_id": 1, "category_id": 1, "segmentation": box(4)}],
    }
    found = [{"image_id": 1, "category_id": 1, "segmentation": box(place), "score": 1}]
    for name, content in (("truth", truth), ("found", found)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return score_files(
        folder / "found.json", folder / "truth.json", "coco", boundary=True
    ).compute()


def test_scores(tmp_path: Path) -> None:
    same = boundary(tmp_path, 4)
    assert same["boundary_ap"] == same["ap"] == same["boundary_ap_small"] == pytest.approx(1.0)
    # A column aside: masks share 380 of 420 pixels (.905); borders of one pixel, 76 each, share
    # two lines of 19, and no column: 38 of 114 (1/3).
    aside = boundary(tmp_path, 5)
    assert aside["ap"] == pytest.approx(0.9) and aside["boundary_ap50"] == 0
    assert np.isnan(aside["boundary_ap_large"])
    assert (
        "boundary_ap"
        not in score_files(tmp_path / "found.json", tmp_path / "truth.json", "coco").compute()
    )


def test_real_results_agree_less_along_borders(test_data: Path) -> None:
    folder = test_data / "cocoeval"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    names = ("instances_val2014_fakesegm100_results.json", "instances_val2014_100.json")
    found = score_files(*(folder / name for name in names), "coco", boundary=True).compute()
    assert round(found["ap"], 3) == 0.320
    assert 0.1 < found["boundary_ap"] < found["ap"]
    assert found["boundary_ap_small"] > 0.8 * found["ap_small"]  # all border

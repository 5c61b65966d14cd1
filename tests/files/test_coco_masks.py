"""Run lengths against pycocotools, masks of labels, and what is refused."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import write_results
from geoinfluencer.files.coco_masks import check_segmentation, encoded, encoded_labels
from geoinfluencer.files.run_lengths import run_lengths, runs_of_labels
from geoinfluencer.files.spool import JsonSpool

mask = pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")


def code_of(pixels: np.ndarray) -> dict[str, Any]:
    found: dict[str, Any] = mask.encode(np.asfortranarray(pixels.astype(np.uint8)))
    return found


def pixels_of(code: dict[str, Any]) -> list[list[int]]:
    return np.asarray(mask.decode(code)).tolist()


@given(
    st.integers(1, 70), st.integers(1, 70), st.floats(0, 1), st.booleans(), st.integers(0, 2**31)
)
def test_compressed_runs_are_decoded(h: int, w: int, share: float, blocks: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.random((h, w)) < share
    if blocks:  # runs beyond five and ten bits
        pixels = np.kron(pixels, np.ones((1, 40), bool))
    runs = run_lengths(code_of(pixels)["counts"])
    value = np.repeat(np.arange(len(runs)) % 2, runs)
    assert np.array_equal(value.reshape(pixels.T.shape).T, pixels)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 5), st.integers(0, 2**31))
def test_masks_of_labels(h: int, w: int, count: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(-1, count + 1, (h, w))
    codes = encoded_labels(labels, count)
    assert [pixels_of(code) for code in codes] == [
        (labels == k).astype(int).tolist() for k in range(count)
    ]
    assert [each.sum() for each in runs_of_labels(labels, count)] == [h * w] * count


def test_no_labels() -> None:
    assert encoded_labels(np.zeros((2, 3), np.int64), 0) == []


def test_every_form_is_the_same_mask() -> None:
    square = np.zeros((6, 8), bool)
    square[1:4, 2:6] = True
    code = code_of(square)
    text = code["counts"].decode()
    forms: list[Any] = [
        [[2, 1, 6, 1, 6, 4, 2, 4]],
        {"size": [6, 8], "counts": text},
        {"size": (6, 8), "counts": code["counts"]},
        {"size": [6, 8], "counts": run_lengths(code["counts"]).tolist()},
    ]
    for form in forms:
        before = repr(form)
        check_segmentation("f: entry 0", form, 7, 6, 8)
        found = encoded(form, 6, 8)
        assert (
            isinstance(found["counts"], bytes) and pixels_of(found) == square.astype(int).tolist()
        )
        assert repr(form) == before


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ("", "must be integers that sum to 48"),
        ("`1", "must be integers that sum to 48"),  # 48 pixels of background, less one
        ("o", "no compressed run-length code"),  # a number that does not end
        ("b'`1'", "no compressed run-length code"),  # str() of bytes
        ("o" * 9 + "0", "a run that no image has"),
        ("é", "no compressed run-length code"),
        ([48.0], "must be integers that sum to 48"),
        ([50, -2], "must be integers that sum to 48"),
    ],
)
def test_run_lengths_that_are_none(counts: Any, message: str) -> None:
    if counts == "`1":
        counts = code_of(np.zeros((6, 8)))["counts"][:-1] + b"0"
    with pytest.raises(InputError, match=f"f: entry 0: .*{message}"):
        check_segmentation("f: entry 0", {"size": [6, 8], "counts": counts}, 7, 6, 8)


def test_a_size_of_another_image_is_refused() -> None:
    with pytest.raises(InputError, match=r"have size \[8, 6\], image 7 has \[6, 8\] \(height"):
        check_segmentation("f: entry 0", {"size": [8, 6], "counts": [48]}, 7, 6, 8)


def test_without_pycocotools(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "pycocotools":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'geoinfluencer\[images\]'"):
        encoded_labels(np.zeros((2, 3), np.int64), 1)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_results_are_json(tmp_path: Path, count: int) -> None:
    path = tmp_path / "results.json"
    write_results(path, ({"image_id": k} for k in range(count)))
    assert json.loads(path.read_text()) == [{"image_id": k} for k in range(count)]
    assert len(path.read_text().splitlines()) == (count + 2 if count else 1)


def test_the_spool_gives_back_in_any_order() -> None:
    spool = JsonSpool()
    places = [spool.add({"k": k, "text": "x\n" * k}) for k in range(4)]
    assert [spool.read(place)["k"] for place in reversed(places)] == [3, 2, 1, 0]
    assert spool.read(spool.add([])) == []

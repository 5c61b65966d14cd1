"""The watershed parts discs that touch, whether they are bright or dark."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from geoinfluencer.condensation.watershed import watershed_objects
from geoinfluencer.errors import InputError


def discs() -> np.ndarray:
    """(40, 60): two discs of radius 9 that touch, and one of radius 5 apart."""
    y, x = np.mgrid[:40, :60]
    image = np.full((40, 60), 0.1)
    for row, column, radius in ((15, 14, 9), (15, 31, 9), (30, 50, 5)):
        image[(y - row) ** 2 + (x - column) ** 2 <= radius**2] = 0.8
    return image


@pytest.fixture
def _needs_skimage() -> None:
    pytest.importorskip("skimage", reason="needs the extra geoinfluencer[baselines]")


@pytest.mark.usefixtures("_needs_skimage")
@pytest.mark.parametrize("dark", [False, True])
def test_touching_discs_are_parted(dark: bool) -> None:
    image = 1 - discs() if dark else discs()
    label, score = watershed_objects(image)
    assert len(score) == 3 and set(np.unique(label)) == {-1, 0, 1, 2}
    assert np.array_equal(label >= 0, discs() > 0.5)
    centres = [label[15, 14], label[15, 31], label[30, 50]]
    assert sorted(centres) == [0, 1, 2]
    assert (np.bincount(label[label >= 0]) > 60).all() and (score > 0.85).all()


@pytest.mark.usefixtures("_needs_skimage")
@pytest.mark.parametrize("width", [2, 3, 4, 7])
def test_a_bar_is_one_object(width: int) -> None:
    image = np.zeros((30, 60))
    image[10 : 10 + width, 8:50] = 1
    label, score = watershed_objects(image)
    assert len(score) == 1 and np.array_equal(label == 0, image > 0)


@pytest.mark.usefixtures("_needs_skimage")
def test_small_ones_and_images_of_one_colour() -> None:
    label, score = watershed_objects(discs(), min_size=150)
    assert len(score) == 2 and (label[25:] == -1).all()
    label, score = watershed_objects(np.full((8, 9), 0.3))
    assert (label == -1).all() and len(score) == 0


@pytest.mark.usefixtures("_needs_skimage")
def test_what_is_not_convex_scores_less() -> None:
    image = np.zeros((40, 40))
    image[5:35, 5:9] = image[31:35, 5:35] = 1  # an L
    _, score = watershed_objects(image, spread=8.0, apart=30)
    assert len(score) == 1 and score[0] < 0.6


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "skimage":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'geoinfluencer\[baselines\]'"):
        watershed_objects(discs())

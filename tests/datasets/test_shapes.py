"""Generated images of shapes: their forms, their randomness, and their way to COCO JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from geoinfluencer.datasets.coco import Coco
from geoinfluencer.datasets.shape_generator import (
    SHAPES,
    ShapeOptions,
    generate_shapes,
    shape_mask,
)
from geoinfluencer.datasets.shapes import Shapes
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample

GRID = {"method": "grid", "stride": 4}
SMALL = {"height": 40, "width": 48, "train_images": 3, "calib_images": 2, "val_images": 3}


def area(kind: str, flatness: float = 1.0) -> float:
    """Of a shape of radius 1, by counting places."""
    axis = (np.arange(800) + 0.5) / 400 - 1
    u, v = np.meshgrid(axis, axis)
    mask = shape_mask(kind, u, v, flatness)
    assert not (mask & (np.hypot(u, v) > 1 + 1e-9)).any()  # the radius is the circumscribed one
    return float(mask.mean()) * 4


def test_areas_of_the_shapes() -> None:
    assert area("disc") == pytest.approx(math.pi, rel=0.01)
    assert area("disc", 0.5) == pytest.approx(math.pi / 2, rel=0.01)
    assert area("rectangle") == pytest.approx(2.0, rel=0.01)  # a square of diagonal 2
    assert area("rectangle", 0.5) == pytest.approx(4 * 0.5 / 1.25, rel=0.01)
    assert area("triangle") == pytest.approx(3 * math.sqrt(3) / 4, rel=0.01)
    # ten triangles between the centre, a tip at 1 and a notch at .45, 36 degrees apart
    assert area("star") == pytest.approx(5 * 0.45 * math.sin(math.pi / 5), rel=0.01)
    assert area("ring") == pytest.approx(math.pi * (1 - 0.55**2), rel=0.01)


def test_a_triangle_has_a_corner_on_its_axis_and_a_side_across() -> None:
    u = np.array([0.99, -0.49, -0.51, 0.0, 0.0])
    v = np.array([0.0, 0.0, 0.0, 0.56, 0.60])  # the sides cross u = 0 at +- tan 30
    assert shape_mask("triangle", u, v, 1.0).tolist() == [True, True, False, True, False]


def test_every_shape_keeps_its_share() -> None:
    options = ShapeOptions(min_shapes=12, max_shapes=12, visible=0.4)
    kinds, covered = set(), 0
    for seed in range(5):
        found = generate_shapes(np.random.default_rng(seed), options)
        assert found.image.shape == (120, 160, 3) and found.image.dtype == np.uint8
        count = len(found.category)
        assert 6 <= count <= 12 and found.instance.max() == count - 1
        left = np.bincount(found.instance[found.instance >= 0], minlength=count)
        assert (left >= 0.4 * found.whole).all()
        covered += int((left < found.whole).sum())
        kinds |= set(found.category.tolist())
    assert kinds == set(range(len(SHAPES))) and covered > 10


def test_shapes_differ_from_the_ground_without_noise() -> None:
    options = ShapeOptions(min_shapes=1, max_shapes=1, texture=0, noise=0, radius_min=0.2)
    found = generate_shapes(np.random.default_rng(3), options)
    inside, outside = found.instance == 0, found.instance < 0
    assert len(np.unique(found.image[outside].reshape(-1, 3), axis=0)) < 60  # ground and its border
    common = [
        np.unique(found.image[part], axis=0, return_counts=True) for part in (inside, outside)
    ]
    shape, ground = (colors[np.argmax(count)] for colors, count in common)
    assert (shape != ground).any()


def test_the_same_whatever_the_order_and_the_worker(tmp_path: Path) -> None:
    data = Shapes(split="val", **SMALL)
    backwards = [data.shapes(i) for i in (2, 1, 0)][::-1]
    kept = Shapes(tmp_path, "val", **SMALL)
    for i, expected in enumerate(backwards):
        for _ in range(2):  # generated, then from disk
            found = kept.shapes(i)
            assert np.array_equal(found.image, expected.image)
            assert np.array_equal(found.instance, expected.instance)
            assert np.array_equal(found.category, expected.category)
    assert len(list(tmp_path.rglob("*.npz"))) == 3
    others = [Shapes(split="test", **SMALL), Shapes(split="val", seed=1, **SMALL)]
    for other in others:
        assert not np.array_equal(other.image(0), data.image(0))


def test_samples() -> None:
    data = Shapes(split="val", graph=GRID, **SMALL)
    assert len(data) == 3 and data.class_names == SHAPES and data.category_ids == (1, 2, 3, 4, 5)
    for i in range(3):
        sample = validate_sample(data[i])
        assert sample.num_nodes == 120 and sample.name == f"shapes-val-{i:06d}"
        assert torch.equal(sample.y >= 0, sample.instance >= 0) and not sample.ignore.any()
        assert sample.image_id.tolist() == [i + 1]
    assert "segment_map" not in Shapes(split="train", graph=GRID, **SMALL)[0]
    agnostic = Shapes(split="val", class_agnostic=True, graph=GRID, **SMALL)
    assert "y" not in agnostic[0] and agnostic.class_names == ()


def test_written_as_coco_it_is_the_same_set(tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")
    pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")
    data = Shapes(split="val", graph=GRID, **SMALL)
    path = data.write_coco(tmp_path)
    assert path == tmp_path / "val.json" and json.loads(path.read_text()) == data.coco_content()
    read = Coco(tmp_path, "val", val_images="val", val_annotations="val.json", graph=GRID)
    assert read.class_names == SHAPES and read.category_ids == data.category_ids
    for i in range(3):
        assert np.array_equal(read.image(i), data.image(i))
        assert read[i].name == data[i].name and read[i].image_id == data[i].image_id
        mine, theirs = data.shapes(i), read.truth(i)
        assert theirs.category.tolist() == mine.category.tolist()
        assert np.array_equal(theirs.labels(), mine.instance)
        for key in ("x", "instance", "y"):
            assert torch.equal(read[i][key], data[i][key])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"height": 8}, "needs 16 x 16"),
        ({"min_shapes": 5, "max_shapes": 4}, "must be ascending"),
        ({"radius_min": 0.0}, "above 0"),
        ({"visible": 0}, "visible"),
        ({"noise": -1}, "noise must not be negative"),
        ({"val_images": 0}, "num_images=None"),
        ({"split": "valid"}, "no split 'valid'"),
    ],
)
def test_bad_options(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Shapes(**options)  # type: ignore[arg-type]

"""Image graphs against brute force, and what must not change them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.colour import as_rgb, cielab
from geoinfluencer.graphs.image_augment import augmented_image, transform_image
from geoinfluencer.graphs.image_features import (
    IMAGE_EDGE_FEATURES,
    IMAGE_NODE_FEATURES,
    neighbour_mean,
)
from geoinfluencer.graphs.images import ImageGraph, image_to_graph
from geoinfluencer.graphs.regions import describe
from geoinfluencer.graphs.sample import validate_sample

SQUARE = {"method": "grid", "stride": 4, "both_directions": False}


@pytest.fixture
def image() -> np.ndarray:
    """A bright disc with texture on a dark ground, (40, 56, 3) uint8."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:40, :56]
    disc = (x - 20) ** 2 + (y - 18) ** 2 < 100
    grey = 40 + 140 * disc + rng.integers(0, 20, disc.shape)
    return np.stack([grey, grey * 0.8, grey * 0.6], axis=2).astype(np.uint8)


def assert_equal(a, b) -> None:
    for name in a.keys():  # noqa: SIM118 (Data iterates over values)
        assert torch.equal(a[name], b[name]), name


@pytest.mark.parametrize("method", ["slic", "grid"])
def test_sample(image: np.ndarray, method: str) -> None:
    data = validate_sample(image_to_graph(image, method, n_segments=60))
    n = data.num_nodes
    assert data.x.shape == (n, len(IMAGE_NODE_FEATURES))
    assert data.edge_attr.shape[1] == len(IMAGE_EDGE_FEATURES)
    assert data.image_size.tolist() == [[40, 56]] and data.segment_map.shape == (40 * 56,)
    assert torch.equal(torch.bincount(data.segment_map, minlength=n), data.mass.long())
    assert data.mass.sum() == 40 * 56
    label = data.segment_map.reshape(40, 56)
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(56.0), indexing="ij")
    for node in (0, n // 2, n - 1):
        torch.testing.assert_close(
            data.pos[node], torch.stack([x[label == node].mean(), y[label == node].mean()])
        )


def test_edges_and_borders_equal_brute_force(image: np.ndarray) -> None:
    lab = cielab(as_rgb(image))
    label = ImageGraph(n_segments=40).segments(lab)
    _, borders = describe(label, lab)
    found: dict[tuple[int, int], list[float]] = {}
    for y, x in itertools.product(range(40), range(56)):
        for v, u in ((y + 1, x), (y, x + 1)):
            if v < 40 and u < 56 and label[y, x] != label[v, u]:
                pair = tuple(sorted((int(label[y, x]), int(label[v, u]))))
                found.setdefault(pair, []).append(float(np.linalg.norm(lab[y, x] - lab[v, u])))
    assert [tuple(pair) for pair in borders.pair.T.tolist()] == sorted(found)
    assert borders.length.tolist() == [len(found[pair]) for pair in sorted(found)]
    np.testing.assert_allclose(
        borders.strength, [np.mean(found[pair]) for pair in sorted(found)], rtol=1e-4
    )


def gradient(lab: np.ndarray) -> np.ndarray:
    """(H, W) mean distance in colour of each pixel to the neighbours that it has."""
    height, width = lab.shape[:2]
    found = np.zeros((height, width))
    for y, x in itertools.product(range(height), range(width)):
        beside = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        there = [lab[v, u] for v, u in beside if 0 <= v < height and 0 <= u < width]
        found[y, x] = np.linalg.norm(np.array(there) - lab[y, x], axis=1).mean()
    return found


def test_statistics_equal_brute_force(image: np.ndarray) -> None:
    lab = cielab(as_rgb(image)).astype(np.float64)
    label = ImageGraph(n_segments=40).segments(lab.astype(np.float32))
    regions, borders = describe(label, lab.astype(np.float32))
    steps = gradient(lab)
    for node in range(label.max() + 1):
        inside = lab[label == node]
        np.testing.assert_allclose(regions.colour[node], inside.mean(0), atol=1e-3)
        np.testing.assert_allclose(regions.spread[node], inside.std(0), atol=0.05)
        np.testing.assert_allclose(regions.gradient[node], steps[label == node].mean(), rtol=1e-5)
    mean = neighbour_mean(regions.colour, borders)
    around = np.flatnonzero((borders.pair == 0).any(0))
    others = borders.pair[:, around].sum(0)
    weight = borders.length[around]
    expected = (regions.colour[others] * weight[:, None]).sum(0) / weight.sum()
    np.testing.assert_allclose(mean[0], expected)


def test_both_directions_hold_the_same_edges(image: np.ndarray) -> None:
    one = image_to_graph(image, n_segments=30, both_directions=False)
    two = image_to_graph(image, n_segments=30)
    count = one.edge_index.shape[1]
    assert torch.equal(two.edge_index[:, :count], one.edge_index)
    assert torch.equal(two.edge_index[:, count:], one.edge_index.flip(0))
    odd = [IMAGE_EDGE_FEATURES.index(name) for name in ("dx", "dy", "dlightness")]
    sign = torch.ones(len(IMAGE_EDGE_FEATURES))
    sign[odd] = -1
    assert torch.equal(two.edge_attr[count:], one.edge_attr * sign)


@pytest.mark.parametrize("method", ["slic", "grid"])
def test_kind_of_numbers_does_not_matter(image: np.ndarray, method: str) -> None:
    base = image_to_graph(image, method, n_segments=50)
    assert_equal(base, image_to_graph(image / 255, method, n_segments=50))
    assert_equal(base, image_to_graph((image / 255).astype(np.float32), method, n_segments=50))
    assert_equal(base, image_to_graph(image.astype(np.uint16) * 257, method, n_segments=50))
    opaque = np.concatenate([image, np.full((40, 56, 1), 255, np.uint8)], axis=2)
    assert_equal(base, image_to_graph(opaque, method, n_segments=50))


def test_grey_equals_its_rgb_and_alpha_lies_on_white(image: np.ndarray) -> None:
    grey = image[..., 0]
    rgb = np.repeat(grey[..., None], 3, axis=2)
    assert_equal(image_to_graph(grey), image_to_graph(rgb))
    assert_equal(image_to_graph(grey[..., None]), image_to_graph(rgb))
    clear = np.concatenate([rgb, np.zeros((40, 56, 1), np.uint8)], axis=2)
    assert (as_rgb(clear) == 1).all()


def test_cielab_of_known_colours() -> None:
    rgb = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255], [119, 119, 119]]])
    lab = cielab(as_rgb(rgb.astype(np.uint8)))[0]
    known = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.2], [32.3, 79.19, -107.86], [50.03, 0, 0]]
    np.testing.assert_allclose(lab, known, atol=0.06)


def test_polarity_shows_in_the_signed_columns_alone() -> None:
    y, x = np.mgrid[:32, :32]
    disc = ((x - 16) ** 2 + (y - 16) ** 2 < 40).astype(np.uint8)
    bright = image_to_graph(60 + 120 * disc, "grid", stride=2)
    dark = image_to_graph(180 - 120 * disc, "grid", stride=2)
    absolute, signed, contrast = (
        IMAGE_NODE_FEATURES.index(name) for name in ("abs_deviation", "deviation", "contrast")
    )
    torch.testing.assert_close(bright.x[:, absolute] > 1, dark.x[:, absolute] > 1)
    inside = bright.x[:, absolute] > 1
    assert inside.any() and (bright.x[inside, signed] > 1).all()
    assert (dark.x[inside, signed] < -1).all()
    assert (bright.x[:, contrast] * dark.x[:, contrast] <= 1e-6).all()


def test_faint_images_follow_their_edges() -> None:
    faint = np.full((64, 64), 100, np.uint8)
    faint[:, 29:] = 104
    label = image_to_graph(faint, n_segments=40).segment_map.reshape(64, 64)
    left, right = set(label[:, :29].unique().tolist()), set(label[:, 29:].unique().tolist())
    assert not left & right
    label = image_to_graph(faint, n_segments=40, spread=None).segment_map.reshape(64, 64)
    assert set(label[:, :29].unique().tolist()) & set(label[:, 29:].unique().tolist())


@pytest.mark.parametrize("grey", [7, 100, 131, 250])
def test_equal_lightness_has_one_rank(grey: int) -> None:
    column = IMAGE_NODE_FEATURES.index("lightness_rank")
    flat = image_to_graph(np.full((150, 130), grey, np.uint8), "grid", stride=47)
    assert flat.mass.unique().numel() > 1
    assert (flat.x[:, column] == 0.5).all()
    halves = np.full((32, 32), grey, np.uint8)
    halves[8:] = 60  # a quarter of the image is of the other grey
    rank = image_to_graph(halves, "grid", stride=8).x[:, column]
    expected = [0.125, 0.625] if grey < 60 else [0.875, 0.375]
    assert rank.tolist() == [expected[0]] * 4 + [expected[1]] * 12


def test_flat_and_tiny_images() -> None:
    for size in ((1, 1), (1, 9), (5, 3)):
        for method in ("slic", "grid"):
            data = validate_sample(image_to_graph(np.full(size, 7, np.uint8), method))
            assert data.mass.sum() == size[0] * size[1]


def test_grid_of_one_is_every_pixel(image: np.ndarray) -> None:
    data = image_to_graph(image, "grid", stride=1, both_directions=False)
    assert data.num_nodes == 40 * 56
    assert data.edge_index.shape[1] == 39 * 56 + 40 * 55
    assert torch.equal(data.segment_map.long(), torch.arange(40 * 56))


def test_maps_survive_batches(image: np.ndarray) -> None:
    samples = [image_to_graph(image, n_segments=20), image_to_graph(image[:25], n_segments=30)]
    batch = Batch.from_data_list(samples)
    assert batch.image_size.tolist() == [[40, 56], [25, 56]]
    for sample, again in zip(samples, batch.to_data_list(), strict=True):
        assert_equal(sample, again)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("flat", [False, True])
def test_transforms_equal_those_of_the_image(
    image: np.ndarray, flat: bool, mirror: bool, turns: int
) -> None:
    square = image[:40, :56]  # multiples of the stride: cells are the same cells afterwards
    if flat:
        square = np.full_like(square, 77)
    moved = np.rot90(square[:, ::-1] if mirror else square, turns)
    given = image_to_graph(square, **SQUARE)
    given.image = torch.from_numpy(square.reshape(-1, 3))
    ours = transform_image(given, mirror=mirror, quarter_turns=turns)
    theirs = image_to_graph(np.ascontiguousarray(moved), **SQUARE)
    assert ours.image_size.tolist() == theirs.image_size.tolist()
    assert np.array_equal(ours.image.numpy().reshape(moved.shape), moved)
    segment = given.segment_map.numpy().reshape(40, 56)
    segment = np.rot90(segment[:, ::-1] if mirror else segment, turns)
    assert np.array_equal(ours.segment_map.numpy().reshape(segment.shape), segment)
    assert torch.equal(torch.bincount(ours.segment_map), ours.mass.long())
    width = theirs.image_size[0, 1]
    key = (theirs.pos[:, 1] * 4 * width + theirs.pos[:, 0]).argsort()
    order = (ours.pos[:, 1] * 4 * width + ours.pos[:, 0]).argsort()
    torch.testing.assert_close(ours.pos[order], theirs.pos[key])
    torch.testing.assert_close(ours.x[order], theirs.x[key], atol=2e-4, rtol=1e-3)
    source = ours.pos[ours.edge_index[1]] - ours.pos[ours.edge_index[0]]
    torch.testing.assert_close(ours.edge_attr[:, :2], source / 4)


def test_augmentation_leaves_the_kept_sample_alone(image: np.ndarray) -> None:
    data = image_to_graph(image, n_segments=20)
    before = data.clone()
    rng = np.random.default_rng(0)
    seen = {
        tuple(augmented_image(data, rng, mirror=True, turn=True).pos[0].tolist()) for _ in range(60)
    }
    assert len(seen) == 8
    assert_equal(before, data)


WRONG = {
    "shape": (
        lambda: image_to_graph(np.zeros((3, 4, 2), np.uint8)),
        r"image has shape \(3, 4, 2\)",
    ),
    "empty": (lambda: image_to_graph(np.zeros((0, 4), np.uint8)), r"image has shape \(0, 4\)"),
    "range": (lambda: image_to_graph(np.full((3, 3), 255.0)), "values from 255 to 255"),
    "nan": (lambda: image_to_graph(np.full((3, 3), np.nan)), "values from nan"),
    "type": (lambda: image_to_graph(np.zeros((3, 3), np.int32)), "image is int32"),
}


@pytest.mark.parametrize("name", WRONG)
def test_message(name: str) -> None:
    call, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "felz"}, "method is 'felz'; choose slic, felzenszwalb or grid"),
        ({"n_segments": 0}, "n_segments must be a whole number of at least 1, got 0"),
        ({"n_segments": 1000.5}, "n_segments must be a whole number of at least 1, got 1000.5"),
        ({"n_segments": None}, "n_segments must be a whole number of at least 1, got null"),
        ({"stride": 0}, "stride must be a whole number of at least 1, got 0"),
        ({"stride": True}, "stride must be a whole number of at least 1, got True"),
        (
            {"compactness": -1},
            "compactness must be a number of at least 0 and at most 1e\\+06, got -1",
        ),
        ({"spread": 0.0}, "spread must be a positive number or null, got 0.0"),
        ({"min_size": np.nan}, "min_size must be a number of at least 0, got nan"),
        ({"both_directions": "no"}, "both_directions must be true or false, got 'no'"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        ImageGraph(**options)


def test_options_at_the_ends_of_their_ranges(image: np.ndarray) -> None:
    data = image_to_graph(image, n_segments=np.int64(9), compactness=0, spread=None, min_size=0)
    assert data.num_nodes > 0

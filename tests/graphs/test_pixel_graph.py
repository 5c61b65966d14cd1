"""Graphs of the ink of charts: nodes, links, features, mirror images."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs import PIXEL_EDGE_FEATURES, PIXEL_NODE_FEATURES, PixelGraph
from geoinfluencer.graphs.pixel_augment import augmented_pixels, mirror_pixels
from geoinfluencer.graphs.pixel_features import whitened
from geoinfluencer.graphs.pixel_links import double_angle, ring_offsets
from geoinfluencer.graphs.sample import validate_sample

RED, BLUE = (220, 20, 20), (20, 20, 220)


def page(height: int = 40, width: int = 60) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def crossing() -> np.ndarray:
    """A red line in row 20 and a blue one in column 30, both from end to end, blue on top."""
    image = page()
    image[20], image[:, 30] = RED, BLUE
    return image


def column(data: Data, name: str) -> np.ndarray:
    return data.x[:, PIXEL_NODE_FEATURES.index(name)].numpy()


def edge_column(data: Data, name: str) -> np.ndarray:
    return data.edge_attr[:, PIXEL_EDGE_FEATURES.index(name)].numpy()


def links_by_place(data: Data) -> dict[tuple[float, ...], np.ndarray]:
    ends = data.pos[data.edge_index]  # (2, E, 2)
    keys = torch.cat([ends[0], ends[1]], dim=1).tolist()
    return dict(zip(map(tuple, keys), data.edge_attr.numpy(), strict=True))


def test_nodes_are_the_pixels_that_differ_from_the_background() -> None:
    data = validate_sample(PixelGraph()(crossing()))
    ink = (crossing() != 255).any(axis=2)
    assert data.num_nodes == 60 + 40 - 1
    assert data.image_size.tolist() == [[40, 60]] and data.segment_map.dtype == torch.int32
    number = data.segment_map.reshape(40, 60).numpy()
    assert ((number >= 0) == ink).all()
    rows, columns = np.nonzero(ink)
    assert (number[rows, columns] == np.arange(data.num_nodes)).all()
    assert data.pos.tolist() == np.stack([columns, rows], axis=1).tolist()
    assert (data.mass == 1).all()


def test_large_tinted_areas_are_background_and_fringes_are_no_nodes() -> None:
    image = page()
    image[5:30, 10:50] = 200  # a panel: 42 % of the page
    image[15, 12:48] = RED
    image[14, 12:48] = image[16, 12:48] = (205, 140, 140)  # what anti-aliasing leaves beside it
    data = PixelGraph(contrast=10.0)(image)
    assert sorted(data.pos.tolist()) == [[c, 15] for c in range(12, 48)]
    with_fringes = PixelGraph(contrast=10.0, ridge=0.0)(image)
    assert set(with_fringes.pos[:, 1].tolist()) == {14, 15, 16}
    with_panel = PixelGraph(contrast=10.0, background_share=0.5)(image)
    assert with_panel.num_nodes > 800


@pytest.mark.parametrize(
    ("step", "expected"),
    [((0, 1), (1, 0)), ((1, 0), (-1, 0)), ((1, 1), (0, 1)), ((1, -1), (0, -1))],
)
def test_directions_are_those_of_the_strokes(
    step: tuple[int, int], expected: tuple[float, float]
) -> None:
    image = page(41, 41)
    for k in range(-15, 16):
        image[20 + k * step[0], 20 + k * step[1]] = 0
    data = PixelGraph()(image)
    middle = int(data.segment_map.reshape(41, 41)[20, 20])
    for prefix in ("", "wide_"):
        found = [column(data, prefix + name)[middle] for name in ("cos2", "sin2")]
        np.testing.assert_allclose(found, expected, atol=0.1)
        assert column(data, prefix + "coherence")[middle] > 0.9


def test_ring_offsets_are_half_of_a_circle() -> None:
    for radius in (2, 3, 8, 20):
        found = {tuple(each) for each in ring_offsets(radius).tolist()}
        side = range(-radius, radius + 1)
        circle = {p for p in itertools.product(side, side) if round(np.hypot(*p)) == radius}
        assert found | {(-r, -c) for r, c in found} == circle
        assert not found & {(-r, -c) for r, c in found}
    np.testing.assert_allclose(double_angle(np.array([3.0, 3.0])), [0, 1], atol=1e-12)
    np.testing.assert_allclose(double_angle(np.array([0.0, -2.0])), [-1, 0], atol=1e-12)


def test_neighbours_are_linked_once() -> None:
    data = PixelGraph(rings=(), both_directions=False)(crossing())
    pos = data.pos.numpy()
    away = np.abs(pos[:, None] - pos[None]).max(axis=2)
    expected = {(i, j) for i, j in zip(*np.nonzero(away == 1), strict=True) if i < j}
    found = [tuple(edge) for edge in data.edge_index.T.tolist()]
    assert len(found) == len(set(found)) and set(found) == expected


def test_links_lead_through_a_crossing_and_not_round_the_corner() -> None:
    data = PixelGraph(rings=(8,), links=1, both_directions=False)(crossing())
    far = np.isclose(edge_column(data, "distance"), 0.8)
    ends = data.pos[data.edge_index[:, far]].numpy()  # (2, E, 2)
    pairs = {tuple(np.sort(pair[:, 0]).astype(int)) for pair in ends.transpose(1, 0, 2)
             if (pair[:, 1] == 20).all()}  # fmt: skip
    assert {(26, 34), (25, 33), (24, 32)} <= pairs
    offset = np.abs(ends[0] - ends[1])
    assert (offset.min(axis=1) <= 1).all()  # all of them run along one of the two lines
    ink = edge_column(data, "ink")
    assert (ink[far] > 0.8).all()


def test_links_lead_over_gaps() -> None:
    image = page()
    image[20, 5:25] = image[20, 31:50] = RED
    linked = PixelGraph(rings=(8,), both_directions=False)(image)
    source, target = linked.pos[linked.edge_index][..., 0].numpy()
    over = (source < 26) & (target > 26)
    assert over.sum() == 2  # 23-31 and 24-32
    assert (edge_column(linked, "ink")[over] < 0.5).all()
    assert (edge_column(linked, "ink")[~over] > 0.99).all()
    alone = PixelGraph(rings=())(image)
    source, target = alone.pos[alone.edge_index][..., 0].numpy()
    assert not ((source < 26) & (target > 26)).any()


def test_links_of_a_pixel_are_limited() -> None:
    image = page()
    image[18:22, 5:55] = RED
    for links in (1, 3):
        data = PixelGraph(rings=(8,), links=links, both_directions=False)(image)
        far = edge_column(data, "distance") > 0.5
        count = np.bincount(data.edge_index[0].numpy()[far])
        assert count.max() == links


def test_both_directions_are_opposite() -> None:
    one = links_by_place(PixelGraph(both_directions=False)(crossing()))
    both = links_by_place(PixelGraph()(crossing()))
    assert len(both) == 2 * len(one)
    names = list(PIXEL_EDGE_FEATURES)
    dx, dy = names.index("dx"), names.index("dy")
    for (a, b, c, d), value in one.items():
        np.testing.assert_allclose(both[a, b, c, d], value)
        np.testing.assert_allclose(both[c, d, a, b][[dx, dy]], -value[[dx, dy]])


def test_colours_of_strokes() -> None:
    image = page()
    image[20, 5:50] = RED
    image[19, 5:50] = (250, 200, 200)  # a fringe
    data = PixelGraph(ridge=0.0, contrast=5.0)(image)
    on, beside = (data.pos[:, 1] == row for row in (20, 19))
    peak = data.x[:, [PIXEL_NODE_FEATURES.index(f"peak_{c}") for c in ("lightness", "a", "b")]]
    own = data.x[:, [PIXEL_NODE_FEATURES.index(c) for c in ("lightness", "a", "b")]]
    assert torch.allclose(peak[beside], own[on])  # the stroke's own colour
    toward = data.x[:, [PIXEL_NODE_FEATURES.index(f"toward_{c}") for c in ("lightness", "a", "b")]]
    assert torch.allclose(toward.norm(dim=1), torch.ones(data.num_nodes), atol=1e-5)
    assert (toward[on][0] * toward[beside][0]).sum() > 0.9


def test_limits_masks_and_blank_images() -> None:
    image = page()
    image[20], image[30] = 0, 150
    few = PixelGraph(max_nodes=60)(image)
    assert (few.pos[:, 1] == 20).all() and few.num_nodes == 60
    mask = np.zeros((40, 60), bool)
    mask[3, 4:7] = True
    assert PixelGraph()(image, mask).pos.tolist() == [[4, 3], [5, 3], [6, 3]]
    blank = validate_sample(PixelGraph()(page()))
    assert blank.num_nodes == 1 and blank.edge_index.shape == (2, 0)
    with pytest.raises(InputError, match=r"mask has shape \(2, 2\)"):
        PixelGraph()(image, np.ones((2, 2), bool))
    with pytest.raises(InputError, match="and 0 pixels"):
        PixelGraph()(image, np.zeros((40, 60), bool))


def test_kinds_of_images_are_equal() -> None:
    image = crossing()
    kinds = (image / np.float32(255), image.astype(np.uint16) * 257)
    expected = PixelGraph()(image)
    for kind in kinds:
        data = PixelGraph()(kind)
        assert torch.equal(data.edge_index, expected.edge_index)
        assert torch.allclose(data.x, expected.x, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"contrast": 0}, "contrast must be a positive number"),
        ({"ridge": 2.0}, "ridge must be"),
        ({"rings": "8"}, "rings must be a list"),
        ({"rings": [1]}, "rings must be a whole number in 2 to 64, got 1"),
        ({"links": 0}, "links must be a whole number of at least 1"),
        ({"max_nodes": 0}, "max_nodes must be"),
        ({"both_directions": 1}, "both_directions must be true or false"),
    ],
)
def test_bad_options(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        PixelGraph(**options)


@pytest.mark.parametrize(("horizontal", "vertical"), [(True, False), (False, True), (True, True)])
def test_a_mirrored_graph_is_that_of_the_mirrored_image(horizontal: bool, vertical: bool) -> None:
    image = page()
    for k in range(30):
        image[5 + k, 8 + k] = RED
    image[30, 10:50] = BLUE
    builder = PixelGraph(rings=())
    data = builder(image)
    data.line_xy = torch.tensor([[8.0, 5.0], [37.0, 34.0]])
    mirrored = mirror_pixels(data, horizontal=horizontal, vertical=vertical)
    image = image[:, ::-1] if horizontal else image
    expected = builder(image[::-1] if vertical else image)
    order, other = (np.lexsort(each.pos.numpy().T) for each in (mirrored, expected))
    assert torch.equal(mirrored.pos[order], expected.pos[other])
    assert torch.allclose(mirrored.x[order], expected.x[other], atol=1e-4)
    found, wanted = links_by_place(mirrored), links_by_place(expected)
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():  # half-way pixels are rounded to the even one: left out
        np.testing.assert_allclose(found[key][:-2], value[:-2], atol=1e-4)
    first = [51.0 if horizontal else 8.0, 34.0 if vertical else 5.0]
    assert mirrored.line_xy[0].tolist() == first and data.line_xy[0].tolist() == [8, 5]
    assert "segment_map" not in mirrored and "segment_map" in data


def test_augmentation_draws_all_four() -> None:
    data = PixelGraph()(crossing())
    rng = np.random.default_rng(0)
    seen = {tuple(augmented_pixels(data, rng, mirror=True).pos[0].tolist()) for _ in range(60)}
    assert len(seen) == 4
    still = {tuple(augmented_pixels(data, rng, mirror=False).pos[0].tolist()) for _ in range(9)}
    assert len(still) == 1


def test_batches_keep_the_way_back() -> None:
    one, two = PixelGraph()(crossing()), PixelGraph()(page())
    batch = Batch.from_data_list([one, two])
    assert batch.segment_map.shape == (2 * 40 * 60,)
    assert torch.equal(batch.to_data_list()[1].segment_map, two.segment_map)


def test_whitened_colours_tell_shades_apart() -> None:
    """Two shades 12 apart come out as far from each other as two hues 120 apart, nearly."""
    rng = np.random.default_rng(0)
    for apart, noise in ((12.0, 0.5), (120.0, 5.0)):
        pure = np.array([[40.0, 10.0, -20.0]]) + apart * np.array([[0.6, 0.0, 0.8]]) * [[0.0], [1]]
        colour = np.repeat(pure, 500, axis=0) + rng.normal(0, noise, (1000, 3))
        found = whitened(colour)
        assert np.allclose(found.mean(axis=0), 0, atol=1e-9)
        between = np.linalg.norm(found[500:].mean(axis=0) - found[:500].mean(axis=0))
        expected = apart / np.sqrt((apart / 2) ** 2 + 9 + noise**2)  # of two points: 2 at most
        assert between == pytest.approx(expected, rel=0.02) and between > 1.7
    alike = np.array([[40.0, 10.0, -20.0]]) + rng.normal(0, 0.3, (1000, 3))
    assert np.abs(whitened(alike)).max() < 0.6
    assert np.array_equal(whitened(np.full((4, 3), 7.0)), np.zeros((4, 3)))

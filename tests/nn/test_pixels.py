"""The stem over pixels, and the affinities of pixels to the segments around them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.nn.pixel_affinity import PixelAffinity, PixelReader
from geoinfluencer.nn.pixel_images import PixelImages
from geoinfluencer.nn.pixel_stem import FeatureMaps, PixelStem


def sample(height: int, width: int, *, cell: int = 4, seed: int = 0) -> Data:
    """A noisy image whose segments are cells of a grid."""
    rng = np.random.default_rng(seed)
    image = torch.from_numpy(rng.integers(0, 256, (height * width, 3), dtype=np.uint8))
    row, column = torch.arange(height)[:, None] // cell, torch.arange(width) // cell
    columns = -(-width // cell)
    segment = (row * columns + column).reshape(-1).int()
    count = int(segment.max()) + 1
    y = torch.arange(height).repeat_interleave(width).float()
    x = torch.arange(width).repeat(height).float()
    mass = torch.bincount(segment, minlength=count)
    pos = torch.stack([torch.bincount(segment, v, minlength=count) / mass for v in (x, y)], dim=1)
    return Data(
        x=torch.zeros(count, 1), pos=pos.float(), image=image, segment_map=segment,
        image_size=torch.tensor([[height, width]]),
    )  # fmt: skip


def read(data: Data, *, seed: int = 0) -> PixelReader:
    torch.manual_seed(seed)
    stem, affinity = PixelStem(5), PixelAffinity(6, 5, channels=4)
    state = torch.randn(int(data.num_nodes or 0), 6, generator=torch.Generator().manual_seed(1))
    found: PixelReader = affinity(stem(PixelImages.of(data)), state, data.pos)
    return found


def test_levels_are_those_of_the_image_with_rare_ones_positive() -> None:
    levels = torch.tensor([10, 10, 10, 50], dtype=torch.uint8)
    data = sample(2, 2)
    data.image = levels[:, None].expand(4, 3).contiguous()
    values = PixelImages.of(data).values(torch.arange(4))
    spread = 300**0.5  # variance of 10, 10, 10, 50
    expected = torch.tensor([-10, -10, -10, 30]) / spread
    torch.testing.assert_close(values, expected[:, None].expand(4, 3))
    data.image = 255 - data.image  # the rare level is dark now
    torch.testing.assert_close(PixelImages.of(data).values(torch.arange(4)), values)
    data.image = torch.full_like(data.image, 7)
    assert (PixelImages.of(data).values(torch.arange(4)) == 0).all()


def test_pixels_around_stay_in_their_image() -> None:
    batch = Batch.from_data_list([sample(3, 4), sample(2, 5)])
    images = PixelImages.of(batch)
    offset = torch.tensor([[0, 0], [-1, -1], [1, 1], [0, 9]])
    found = images.around(torch.tensor([0, 11, 12, 21]), offset)
    assert found.tolist() == [[0, 0, 5, 3], [11, 6, 11, 11], [12, 12, 18, 16], [21, 15, 21, 21]]
    assert images.image_of(torch.tensor([0, 11, 12, 21])).tolist() == [0, 0, 1, 1]
    assert images.node(torch.tensor([0, 12, 21])).tolist() == [0, 1, 2]


@pytest.mark.parametrize("block", [1, 64, 100])
def test_blocks_of_rows_change_nothing(block: int) -> None:
    images = PixelImages.of(Batch.from_data_list([sample(61, 30), sample(40, 17, seed=1)]))
    torch.manual_seed(0)
    whole = PixelStem(4)
    parts = PixelStem(4, block=block)
    parts.load_state_dict(whole.state_dict())
    expected, found = whole(images), parts(images)
    assert expected.size.tolist() == [[31, 15], [20, 9]]
    torch.testing.assert_close(found.values, expected.values, atol=1e-5, rtol=1e-5)


def test_batches_are_their_images() -> None:
    samples = [sample(12, 9), sample(7, 16, seed=2)]
    torch.manual_seed(0)
    stem = PixelStem(3)
    parts = stem(PixelImages.of(Batch.from_data_list(samples))).split()
    for part, alone in zip(parts, samples, strict=True):
        expected = stem(PixelImages.of(alone))
        torch.testing.assert_close(part.values, expected.values)
        pixel = torch.arange(alone.image.shape[0])
        torch.testing.assert_close(part.at(pixel), expected.at(pixel))


def of_cells(size: tuple[int, int], values: Tensor) -> FeatureMaps:
    cells = torch.tensor([[(side + 1) // 2 for side in size]])
    start = torch.tensor([0, int(cells.prod())])
    return FeatureMaps(PixelImages.of(sample(*size, cell=2)), values, cells, start)


def test_features_are_linear_between_cells() -> None:
    maps = of_cells((4, 5), torch.arange(6.0)[:, None])  # cells 0 1 2 / 3 4 5, two pixels apart
    found = maps.at(torch.arange(20)).view(4, 5)
    assert found.tolist() == [
        [0, 0.5, 1, 1.5, 2], [1.5, 2, 2.5, 3, 3.5], [3, 3.5, 4, 4.5, 5], [3, 3.5, 4, 4.5, 5]
    ]  # fmt: skip


def test_features_are_averaged_over_segments() -> None:
    maps = of_cells((4, 4), torch.tensor([[1.0], [2], [3], [4]]))
    assert maps.pooled(5)[:, 0].tolist() == [1, 2, 3, 4, 0]  # one cell each, and a node without
    coarse = FeatureMaps(PixelImages.of(sample(4, 4)), maps.values, maps.size, maps.start)
    assert coarse.pooled(1).tolist() == [[2.5]]


def test_candidates_are_the_segments_around() -> None:
    data = sample(12, 12)  # 3 x 3 cells of 4 x 4: steps of 2 and 4 pixels
    reader = read(data)
    assert set(reader.candidates(torch.tensor([0]))[0].tolist()) == {0, 1, 3, 4}
    middle = torch.tensor([5 * 12 + 5])
    found = reader.candidates(middle)[0]
    assert found.shape == (17,) and set(found.tolist()) == set(range(9))
    assert found[0] == 4
    logits, _ = reader.logits(middle, found[None])
    assert torch.isfinite(logits).sum() == 9  # each once


def test_logits_are_those_of_the_formula() -> None:
    data = sample(8, 12)
    reader = read(data)
    pixel = torch.tensor([17, 80])
    candidate = reader.candidates(pixel)
    logits, inside = reader.logits(pixel, candidate)
    affinity = reader.affinity
    for i, p in enumerate(pixel.tolist()):
        row, column = divmod(p, 12)
        square = [
            min(max(row + dy, 0), 7) * 12 + min(max(column + dx, 0), 11)
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
        ]
        colours = reader.images.values(torch.tensor(square)).reshape(-1)
        feature = affinity.feature(torch.cat([colours, reader.maps.at(pixel[i : i + 1])[0]]))
        key = reader.key[int(data.segment_map[p])]
        expected = feature[4:8] @ key[4:8] / 2 + feature[8] + key[8]
        torch.testing.assert_close(inside[i], expected)
        seen: set[int] = set()
        for j, node in enumerate(candidate[i].tolist()):
            if node in seen:
                assert logits[i, j] == -torch.inf
                continue
            seen.add(node)
            away = reader.pos[node] - torch.tensor([column, row])
            expected = feature[:4] @ reader.key[node][:4] / 2
            expected = expected + 2.0 * (node == int(data.segment_map[p]))
            expected = expected - 0.5 * min(float(away.square().sum()) / 16, 4.0)
            torch.testing.assert_close(logits[i, j], expected)


def test_a_batch_has_the_affinities_of_its_images() -> None:
    samples = [sample(12, 9), sample(10, 16, seed=2)]
    whole = read(Batch.from_data_list(samples))
    first = int(samples[0].num_nodes or 0)
    parts = whole.split()
    for part, low, nodes in ((parts[0], 0, 0), (parts[1], 108, first)):
        pixel = torch.arange(part.num_pixels)
        candidate = part.candidates(pixel)
        assert torch.equal(candidate + nodes, whole.candidates(pixel + low))
        found = part.logits(pixel, candidate)
        torch.testing.assert_close(found, whole.logits(pixel + low, candidate + nodes))


def test_random_pixels_are_as_many_of_every_image() -> None:
    reader = read(Batch.from_data_list([sample(4, 4), sample(20, 30)]))
    pixel = reader.random_pixels(500)
    assert reader.images.image_of(pixel).bincount().tolist() == [500, 500]
    assert pixel[:500].unique().numel() == 16 and int(pixel.max()) > 600


def test_gradients_reach_the_stem_and_the_states() -> None:
    data = sample(12, 12)
    stem, affinity = PixelStem(5), PixelAffinity(6, 5)
    state = torch.randn(9, 6, requires_grad=True)
    reader = affinity(stem(PixelImages.of(data)), state, data.pos)
    pixel = torch.arange(144)
    candidate = reader.candidates(pixel)
    logits, inside = reader.logits(pixel, candidate)
    (logits.softmax(1)[:, 0].sum() + inside.sum()).backward()
    for name, parameter in (*stem.named_parameters(), *affinity.named_parameters()):
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert state.grad is not None and (state.grad.abs().sum(1) > 0).all()


def test_errors_say_what_to_do() -> None:
    data = sample(4, 4)
    del data.image
    with pytest.raises(InputError, match=r"`image` is missing.*data.pixels=true"):
        PixelImages.of(data)
    with pytest.raises(InputError, match="model.stem_channels is 0"):
        PixelStem(0)


@pytest.mark.parametrize(
    ("module", "text"),
    [(PixelStem(7), "PixelStem(7)"), (PixelAffinity(6, 5), "PixelAffinity(16)")],
)
def test_names(module: nn.Module, text: str) -> None:
    assert repr(module) == text

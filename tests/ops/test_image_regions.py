"""Statistics and borders of segments by hand, and against the twin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import native


def random_segments(rng, trial):
    """Labels in blocks or at random, of which some may be nowhere; colours, some of them flat."""
    height, width = torch.randint(1, 40, (2,), generator=rng).tolist()
    segments = [1, 3, 20, 400][trial % 4]
    if trial % 3 == 0:
        label = torch.randint(0, segments, (height, width), generator=rng)
    else:
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        label = (y // 5 * 7 + x // 6) % segments
    image = torch.randn(height, width, 1 + trial % 4, generator=rng) * 20 + 50
    return label, (image / 30).round() * 30 if trial % 5 == 0 else image, segments


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("trial", range(40))
def test_equals_the_twin(rng, trial):
    rng.manual_seed(trial)
    label, image, segments = random_segments(rng, trial)
    found = ops.image_regions(label, image, segments)
    with native.forced_off():
        twin = ops.image_regions(label, image, segments)
    for name in ("mass", "center", "pair", "length"):
        assert torch.equal(getattr(found, name), getattr(twin, name)), name
    for name in ("mean", "gradient", "strength", "deviation"):
        torch.testing.assert_close(
            getattr(found, name), getattr(twin, name), rtol=1e-12, atol=1e-10, msg=name
        )


@pytest.mark.usefixtures("backend")
def test_by_hand():
    # three segments: 0 above, 1 below on the left, 2 on the right; lightness alone
    label = torch.tensor([[0, 0, 2], [0, 1, 2]])
    image = torch.tensor([[10.0, 14.0, 20.0], [12.0, 30.0, 26.0]])[..., None]
    found = ops.image_regions(label, image, 4)
    assert found.mass.tolist() == [3, 1, 2, 0]
    thirds = [(0 + 1 + 0) / 3, (0 + 0 + 1) / 3]
    assert found.center.tolist() == [thirds, [1, 1], [2, 0.5], [0, 0]]
    assert found.mean.flatten().tolist() == [12, 30, 23, 0]
    assert found.deviation[:, 0].tolist() == pytest.approx([(8 / 3) ** 0.5, 0, 3, 0])
    # to the neighbours: 10 | 4, 2; 14 | 4, 6, 16; 20 | 6, 6; 12 | 2, 18; 30 | 18, 4, 16; 26 | 4, 6
    around = [3, 26 / 3, 6, 10, 38 / 3, 5]
    expected = [(around[0] + around[1] + around[3]) / 3, around[4], (around[2] + around[5]) / 2, 0]
    assert found.gradient.tolist() == pytest.approx(expected, rel=1e-6)
    assert found.pair.tolist() == [[0, 0, 1], [1, 2, 2]]
    assert found.length.tolist() == [2, 1, 1]
    assert found.strength.tolist() == [(16 + 18) / 2, 6, 4]


@pytest.mark.usefixtures("backend")
def test_distance_in_three_channels_and_both_number_types():
    label = torch.tensor([[1, 0]])
    image = torch.tensor([[[1.0, 2.0, 3.0], [3.0, 5.0, 9.0]]])  # (2, 3, 6) apart: 7
    found = ops.image_regions(label, image, 2)
    assert found.pair.tolist() == [[0], [1]] and found.strength.tolist() == [7]
    assert found.mean.tolist() == [[3, 5, 9], [1, 2, 3]] and found.gradient.tolist() == [7, 7]
    for a, b in zip(found, ops.image_regions(label, image.double(), 2), strict=True):
        assert torch.equal(a, b)
    across = ops.image_regions(label.T, image.transpose(0, 1), 2)
    assert across.center.tolist() == found.center.flip(1).tolist()
    assert torch.equal(across.strength, found.strength)


@pytest.mark.usefixtures("backend")
def test_one_colour_has_no_spread():
    image = torch.full((300, 500, 3), 0.1) * torch.tensor([1.0, 700.0, -3.0])
    label = torch.arange(150_000).reshape(300, 500) % 3
    found = ops.image_regions(label, image, 3)
    assert (found.deviation == 0).all() and (found.strength == 0).all()
    assert (found.mean == image[0, 0].double()).all()


@pytest.mark.usefixtures("backend")
def test_every_pixel_one_segment_and_nothing():
    label = torch.arange(20 * 30).reshape(20, 30)
    image = torch.rand(20, 30, 3, generator=torch.Generator().manual_seed(0))
    found = ops.image_regions(label, image, 600)
    assert found.pair.shape[1] == 19 * 30 + 20 * 29 and (found.length == 1).all()
    assert torch.equal(found.mean, image.double().reshape(600, 3))
    order = np.lexsort(found.pair.flip(0).numpy())
    assert (order == np.arange(len(order))).all()
    one = ops.image_regions(torch.zeros(1, 1, dtype=torch.int64), image[:1, :1], 1)
    assert one.mass.tolist() == [1] and one.pair.shape == (2, 0) and one.gradient.tolist() == [0]
    none = ops.image_regions(torch.zeros(0, 5, dtype=torch.int64), torch.zeros(0, 5, 3), 2)
    assert none.mass.tolist() == [0, 0] and none.pair.shape == (2, 0)


L, X = torch.zeros(4, 5, dtype=torch.int64), torch.zeros(4, 5, 3)
WRONG = {
    "shape": (lambda: ops.image_regions(L, X[0], 1), r"image has shape \(5, 3\)"),
    "channels": (lambda: ops.image_regions(L, torch.zeros(4, 5, 5), 1), "1 to 4 channels"),
    "dtype": (lambda: ops.image_regions(L, X.byte(), 1), "image is torch.uint8"),
    "label": (lambda: ops.image_regions(L.int(), X, 1), "label is .* torch.int32; expected"),
    "sizes": (lambda: ops.image_regions(L[1:], X, 1), r"label is \(3, 5\) .* expected \(4, 5\)"),
    "above": (lambda: ops.image_regions(L + 2, X, 2), "entries from 2 to 2; .* - 1 = 1"),
    "below": (lambda: ops.image_regions(L - 1, X, 2), "entries from -1 to -1"),
    "segments": (lambda: ops.image_regions(L, X, -1), "-1 segments"),
}


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", list(WRONG))
def test_message(name):
    call, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        call()

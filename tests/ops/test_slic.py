"""Superpixels against the twin, and what every segmentation must be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import native


def picture(rng, height, width, channels=3, kind=0):
    """Blobs with noise; every third kind has flat steps, so that distances tie."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    wave = torch.sin(x / 7.0) * torch.cos(y / 5.0) * 40 + 50
    image = wave[..., None] + torch.randn(height, width, channels, generator=rng) * 5
    return (image / 20).round() * 20 if kind % 3 == 0 else image


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("trial", range(30))
def test_equals_the_twin(rng, trial):
    rng.manual_seed(trial)
    height, width = torch.randint(1, 70, (2,), generator=rng).tolist()
    image = picture(rng, height, width, 1 + trial % 4, trial)
    segments = int(torch.randint(1, 300, (1,), generator=rng))
    options = {
        "compactness": [10.0, 0.0, 40.0][trial % 3],
        "min_size": [0.25, 1.0, 0.0, 1e9][trial % 4],
        "iterations": [0, 1, 10][trial % 3],
    }
    label = ops.slic(image, segments, **options)
    with native.forced_off():
        assert torch.equal(label, ops.slic(image, segments, **options))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("segments", [1, 7, 60, 100_000])
def test_segments_are_connected_consecutive_and_large_enough(rng, segments):
    image = picture(rng, 48, 61, kind=1)
    label = ops.slic(image, segments, min_size=0.25).numpy()
    count = label.max() + 1
    area = np.bincount(label.ravel())
    assert (area >= min(0.25 * label.size / segments, label.size) - 1).all() and area.all()
    first = np.unique(label.ravel(), return_index=True)[1]
    assert (np.diff(first) > 0).all()
    for number in range(0, count, max(1, count // 50)):
        assert ndimage.label(label == number)[1] == 1
    if segments <= 60:
        assert segments / 2 <= count <= 4 * segments


@pytest.mark.usefixtures("backend")
def test_follows_a_sharp_edge(rng):
    image = torch.zeros(60, 60, 1)
    image[:, 27:] = 50.0
    label = ops.slic(image, 25, compactness=5.0)
    left, right = set(label[:, :27].unique().tolist()), set(label[:, 27:].unique().tolist())
    assert not left & right


@pytest.mark.usefixtures("needs_native")
def test_threads_change_nothing(rng):
    image = picture(rng, 200, 300, kind=1)
    torch.set_num_threads(2)
    label = ops.slic(image, 500)
    torch.set_num_threads(1)
    assert torch.equal(label, ops.slic(image, 500))


@pytest.mark.usefixtures("backend")
def test_nothing_one_pixel_and_double_precision(rng):
    assert ops.slic(torch.zeros(0, 5, 3), 4).shape == (0, 5)
    assert ops.slic(torch.zeros(1, 1, 1), 9).tolist() == [[0]]
    image = picture(rng, 20, 20).double()
    assert torch.equal(ops.slic(image, 9), ops.slic(image.float(), 9))
    across = image.transpose(0, 1)
    assert torch.equal(ops.slic(across, 9), ops.slic(across.contiguous(), 9))


X = torch.zeros(4, 5, 3)
WRONG = {
    "shape": (lambda: ops.slic(X[0], 3), r"image has shape \(5, 3\)"),
    "channels": (lambda: ops.slic(torch.zeros(4, 5, 5), 3), "1 to 4 channels"),
    "dtype": (lambda: ops.slic(X.byte(), 3), "image is torch.uint8"),
    "nan": (lambda: ops.slic(X * torch.nan, 3), "image holds NaN"),
    "segments": (lambda: ops.slic(X, 0), "segments must be at least 1, got 0"),
    "compactness": (lambda: ops.slic(X, 3, compactness=-1.0), "compactness must be between"),
    "iterations": (lambda: ops.slic(X, 3, iterations=-1), "iterations must not be negative"),
    "min_size": (lambda: ops.slic(X, 3, min_size=float("nan")), "min_size must be finite"),
}


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", list(WRONG))
def test_message(name):
    call, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        call()

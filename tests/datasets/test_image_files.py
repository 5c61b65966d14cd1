"""Image files of every kind, and those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.datasets.image_files import find_images, read_image
from geoinfluencer.errors import InputError

Image = pytest.importorskip("PIL.Image", reason="needs the extra geoinfluencer[images]")


def test_kinds_of_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 255, (5, 7), np.uint8)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    deep = grey.astype(np.uint16) * 9 + 300
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(rgb).save(tmp_path / "rgb.png")
    Image.fromarray(deep).save(tmp_path / "deep.tif")
    Image.fromarray(rgb).quantize(256).save(tmp_path / "palette.png")
    Image.fromarray(grey > 99).save(tmp_path / "bits.png")
    Image.fromarray(rgb).convert("CMYK").save(tmp_path / "cmyk.tif")
    assert np.array_equal(read_image(tmp_path / "grey.png"), grey)
    assert np.array_equal(read_image(tmp_path / "rgb.png"), rgb)
    assert np.array_equal(read_image(tmp_path / "palette.png")[..., :3], rgb)
    assert np.array_equal(read_image(tmp_path / "bits.png") > 0, grey > 99)
    assert read_image(tmp_path / "cmyk.tif").shape == (5, 7, 3)
    stretched = read_image(tmp_path / "deep.tif")
    assert stretched.min() == 0 and stretched.max() == 1
    scale = (grey - float(grey.min())) / (float(grey.max()) - float(grey.min()))
    np.testing.assert_allclose(stretched, scale, atol=1e-6)
    assert find_images(tmp_path)[0].name == "bits.png"


def test_orientation(tmp_path: Path) -> None:
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned clockwise for display
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    upright = np.rot90(pixels, -1)
    assert np.array_equal(read_image(tmp_path / "a.png"), upright)
    assert np.array_equal(read_image(tmp_path / "a.png", (5, 7)), upright)
    assert np.array_equal(read_image(tmp_path / "a.png", (7, 5)), pixels)
    with pytest.raises(
        InputError, match="a.png: the image is 5 x 7, its annotations are for 9 x 9"
    ):
        read_image(tmp_path / "a.png", (9, 9))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(InputError, match="bad.png: cannot be read as an image"):
        read_image(tmp_path / "bad.png")
    with pytest.raises(InputError, match="gone.png: no such image"):
        read_image(tmp_path / "gone.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: holds no images"):
        find_images(tmp_path / "empty")
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        find_images(tmp_path / "nowhere")


def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.zeros((30, 30), np.uint8)).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputError, match=r"huge.png: cannot be read as an image \(.*bomb"):
        read_image(tmp_path / "huge.png")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_floats_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    pixels = np.zeros((4, 5), np.float32)
    pixels[1, 2] = value
    Image.fromarray(pixels).save(tmp_path / "depth.tif")
    with pytest.raises(InputError, match=r"depth.tif: .*\(1 of its pixels are NaN or infinite\)"):
        read_image(tmp_path / "depth.tif")

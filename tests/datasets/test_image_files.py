"""Image files of every kind, and those that cannot be read."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.datasets.image_files import find_images, image_sizes, read_image
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


def test_a_tiff_is_always_upright(tmp_path: Path) -> None:
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    Image.fromarray(pixels).save(tmp_path / "a.tif", tiffinfo={0x0112: 6})
    assert np.array_equal(read_image(tmp_path / "a.tif"), np.rot90(pixels, -1))
    assert image_sizes(tmp_path / "a.tif") == ((5, 7), (5, 7))


def test_bmp_of_16_bits_a_pixel(tmp_path: Path) -> None:
    head = struct.pack("<2sIHHI", b"BM", 66 + 16, 0, 0, 66)
    info = struct.pack("<IiiHHIIiiII", 40, 2, 2, 1, 16, 3, 8, 0, 0, 0, 0)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)  # 5, 6 and 5 bits
    rows = struct.pack("<4H", 0xF800, 0x07E0, 0x001F, 0xFFFF)
    (tmp_path / "a.bmp").write_bytes(head + info + masks + rows)
    expected = [[[0, 0, 255], [255] * 3], [[255, 0, 0], [0, 255, 0]]]
    assert read_image(tmp_path / "a.bmp").tolist() == expected


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


def test_an_unreadable_file_comes_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(InputError, match="save it again as PNG or JPEG of 8 bits per channel, or"):
        read_image(tmp_path / "bad.png")


def test_images_above_the_limit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(np.zeros((1000, 2001), np.uint8)).save(tmp_path / "huge.png")
    Image.fromarray(np.zeros((1000, 1500), np.uint8)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    with pytest.raises(InputError, match=r"huge.png: has more than 2 megapixels.*cut it into tile"):
        read_image(tmp_path / "huge.png")
    with pytest.warns(UserWarning, match=r"large.png: has 1.5 megapixels.*cut the image") as said:
        read_image(tmp_path / "large.png")
        read_image(tmp_path / "large.png")
    assert len(said) == 1  # and not Pillow's


@pytest.mark.parametrize("kind", ["tif", "gif", "png", "webp"])
def test_further_pages_are_left_out_with_a_word(tmp_path: Path, kind: str) -> None:
    first, *others = (Image.fromarray(np.full((4, 5, 3), v, np.uint8)) for v in (0, 90, 200))
    path = tmp_path / f"pages.{kind}"
    first.save(path, save_all=True, append_images=others)
    with pytest.warns(UserWarning, match=f"pages.{kind}: has 3 pages, of which the first is read"):
        pixels = read_image(path)
    assert pixels.reshape(4, 5, -1)[..., :3].max() == 0
    first.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(path)


def write_png16(path: Path, pixels: np.ndarray) -> None:
    """PNG of uint16 (H, W, C), the rows coded as differences to the left."""
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    coded = rows.copy()
    coded[:, 2 * channels :] -= rows[:, : -2 * channels]
    kind = {2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    data = zlib.compress(np.insert(coded, 0, 1, axis=1).tobytes())
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
            for name, part in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
        )
    )


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_of_16_bits_keep_them(tmp_path: Path, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(100, 4096, (5, 7, channels)).astype(np.uint16)
    pixels[0, 0, :3], pixels[0, 1, :3] = 100, 4095  # 12 bits, in which Pillow sees 16 levels
    colours = (pixels[..., :3] - 100.0) / 3995
    write_png16(tmp_path / "a.png", pixels)
    found = read_image(tmp_path / "a.png")
    assert found.dtype == np.float32 and found.shape == pixels.shape
    np.testing.assert_allclose(found[..., :3], colours, atol=1e-5)
    np.testing.assert_allclose(found[..., 3:], pixels[..., 3:] / 65535, atol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_colours_of_16_bits_in_tiff(tmp_path: Path, order: str, compression: str | None) -> None:
    tifffile = pytest.importorskip("tifffile")
    pixels = np.random.default_rng(0).integers(0, 4096, (5, 7, 3)).astype(np.uint16)
    pixels[0, 0], pixels[0, 1] = 0, 4095
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", byteorder=order, compression=compression)
    np.testing.assert_allclose(read_image(path), pixels / 4095, atol=1e-5)


def test_grey_of_16_bits_with_alpha_is_refused(tmp_path: Path) -> None:
    write_png16(tmp_path / "a.png", np.zeros((4, 5, 2), np.uint16))
    with pytest.raises(InputError, match=r"a.png: .*16 bits as LA;16B\); save it again"):
        read_image(tmp_path / "a.png")


def test_hidden_files_and_own_pictures_are_no_input(tmp_path: Path) -> None:
    names = ("a.png", "b/c.png", "._a.png", ".git/x.png", "pred/overlays/a.png", "overlays/d.png",
             "pred/plots/a.png", "pred/e.png")  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 3)).save(tmp_path / name)
    (tmp_path / "pred" / "coco_results.json").write_text("[]")
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["a.png", "b/c.png", "overlays/d.png", "pred/e.png"]
    named = find_images(tmp_path / "pred" / "overlays")
    assert [path.name for path in named] == ["a.png"]


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    for folder in ("real", "set/sub"):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("L", (3, 3)).save(tmp_path / folder / "a.png")
    (tmp_path / "set" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "set" / "sub" / "back").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "gone").symlink_to(tmp_path / "nowhere")
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path / "set")]
    assert found == ["set/link/a.png", "set/sub/a.png"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_floats_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    pixels = np.zeros((4, 5), np.float32)
    pixels[1, 2] = value
    Image.fromarray(pixels).save(tmp_path / "depth.tif")
    with pytest.raises(InputError, match=r"depth.tif: .*\(1 of its pixels are NaN or infinite\)"):
        read_image(tmp_path / "depth.tif")

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.datasets.s3dis_text import read_point_files
from geoinfluencer.errors import InputError


def write(folder: Path, *texts: bytes) -> list[Path]:
    paths = [folder / f"wall_{i}.txt" for i in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text)
    return paths


def test_points_of_several_files(tmp_path: Path) -> None:
    paths = write(tmp_path, b"1.25 -2 3.001 0 128 255\n4 5 6 1 2 3", b"-0.5 0 7e-1 9 8 7\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pos, color, counts = read_point_files(paths)
    np.testing.assert_allclose(pos, [[1.25, -2, 3.001], [4, 5, 6], [-0.5, 0, 0.7]], rtol=1e-6)
    assert color.tolist() == [[0, 128, 255], [1, 2, 3], [9, 8, 7]]
    assert counts.tolist() == [2, 1] and pos.dtype == np.float32 and color.dtype == np.uint8


@pytest.mark.parametrize(
    "text",
    [
        b"1 2 3 4 5 6\r\n7 8 9 10 11 12\r\n",
        b"1 2 3 4 5 6 \n 7  8 9 10\t11 12\n\n",
        b"1.000 2.0 3.0 4.000000 5.000000 6.000000\n7 8 9 10 11 12.0\n",
        b"1 2 3 4 5 6\n7 8 9 10.0 11 12\n",
    ],
    ids=["windows", "loose-spaces", "colours-with-a-point", "a-later-colour-with-a-point"],
)
def test_other_ways_of_writing_the_same(tmp_path: Path, text: bytes) -> None:
    pos, color, counts = read_point_files(write(tmp_path, text, b"0 0 0 0 0 0\n"))
    assert pos.tolist() == [[1, 2, 3], [7, 8, 9], [0, 0, 0]]
    assert color[:2].tolist() == [[4, 5, 6], [10, 11, 12]] and counts.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        # the published damage: Area_5/hallway_6, Area_3/hallway_2, Area_5/office_19
        (b"1 2 3 187 185\x00187", [1, 2, 3, 187, 185, 187]),
        (b"-9.1\x160 2 3 4 5 6", [-9.16, 2, 3, 4, 5, 6]),
        (b"1 2 3 103.0\x100000 5 6", [1, 2, 3, 103, 5, 6]),
    ],
)
def test_bytes_that_lost_a_bit_get_it_back(tmp_path: Path, line: bytes, read: list[float]) -> None:
    paths = write(tmp_path, b"0 0 0 1 1 1\n", b"0 0 0 2 2 2\n" + line + b"\n0 0 0 3 3 3\n")
    with pytest.warns(UserWarning, match=r"wall_1.txt: line 2: .* has a damaged byte") as found:
        pos, color, counts = read_point_files(paths)
    assert len(found) == 1 and counts.tolist() == [1, 3]
    np.testing.assert_allclose(np.concatenate([pos[2], color[2]]), read, rtol=1e-6)
    assert color[3].tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"0 0 0 1 1 1\n1 2 3 4 5\n", "line 2: '1 2 3 4 5' has 5 values where x y z r g b are 6"),
        (b"0 0 0 1 1 1\n1 2 3 4 5 6 7\n", "line 2: .* has 7 values"),
        (b"0 0 0 1 1 1\n\n1 2 3 4 5 6\n", "line 2: '' has 0 values"),
        (b"0 0 0 1 1 1\n0 0 0 1 1 1\n1 2 x 4 5 6\n", "line 3: '1 2 x 4 5 6' is not x y z r g b"),
        (b"0 0 0 1 1 1\n1 2 3-4 4 5 6\n", "line 2: '1 2 3-4 4 5 6' is not six numbers"),
        (b"0 0 0 1 1 1\n1 2_0 3 4 5 6\n", "line 2: '1 2_0 3 4 5 6' is not x y z r g b"),
        (b"0 0 0 1 1 1\n1 nan 3 4 5 6\n", "line 2: '1 nan 3 4 5 6'"),
        (b"0 0 0 1 1 1\n1 1e99 3 4 5 6\n", "line 2: '1 inf 3 4 5 6' is not finite metres"),
        (b"0 0 0 1 1 1\n1 2 3 4 5 256\n", "line 2: '1 2 3 4 5 256' .* colours of 0 to 255"),
        (b"0 0 0 1 1 1\n1 2 3 -4 5 6\n", "line 2: '1 2 3 -4 5 6'"),
        (b"0 0 0 1 1 1\n1 2 3 \x01 5 6\n", r"line 2: '1 2 3 \\x01 5 6' is not x y z r g b"),
        (b" \n", "is empty"),
    ],
)  # fmt: skip
def test_anything_else_stops_with_file_and_line(tmp_path: Path, text: bytes, message: str) -> None:
    paths = write(tmp_path, b"0 0 0 1 1 1\n", text, b"0 0 0 1 1 1\n")
    with pytest.raises(InputError, match=f"wall_1.txt: {message}.*unpack the file again"):
        read_point_files(paths)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone.txt: cannot be read"):
        read_point_files([tmp_path / "gone.txt"])

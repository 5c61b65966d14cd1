"""Files of points: what is read, what is refused and where, and that nothing is lost on the way."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from plyfile import PlyData, PlyElement

from geoinfluencer.errors import InputError
from geoinfluencer.files.point_tables import read_points, write_points_npz, write_points_ply

ROWS = np.array([[1, 2, 3, 10, 20, 30], [4.5, 5, 6, 40, 50, 60], [7, 8, 9.25, 70, 80, 90]])


def lines(separator: str, header: str = "") -> str:
    body = "\n".join(separator.join(f"{value:g}" for value in row) for row in ROWS)
    return f"{header}\n{body}\n" if header else f"{body}\n"


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("a.txt", lines(" "), "123456"),
        ("a.xyz", lines("   "), "123456"),
        ("a.csv", lines(","), "123456"),
        ("a.csv", lines(",", "x,y,z,r,g,b"), "xyzrgb"),
        ("a.CSV", lines("; ", '"x";"y";"z";"r";"g";"b"'), "xyzrgb"),
        ("a.txt", lines("\t", "x\ty\tz\tr\tg\tb"), "xyzrgb"),
        ("a.txt", lines(" ", "// made by hand\n//x y z r g b"), "xyzrgb"),
        ("a.asc", lines(" ", "# made by hand, in a hurry, with no names"), "123456"),
        ("a.pts", lines(" ", "3"), "123456"),
        ("a.txt", lines(" ").replace("\n", "\r\n\r\n"), "123456"),
        ("a.csv", "\ufeff" + lines(","), "123456"),
        ("a.csv", "\ufeff" + lines(",", "x,y,z,r,g,b"), "xyzrgb"),
    ],
)
def test_text(tmp_path: Path, name: str, text: str, names: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    table = read_points(path)
    assert list(table.columns) == list(names) and table.named == (names != "123456")
    np.testing.assert_array_equal(np.stack(list(table.columns.values()), 1), ROWS)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_points(packed).count == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n4 5\n", r"line 2: '4 5' has 2 values where the other lines have 3"),
        ("1 2 3\n\n4 5 6 7\n", r"line 3: '4 5 6 7' has 4 values"),
        ("x,y,z\n1,2,3\n4,5,\n", r"line 3: '4,5,' has 2 values"),
        ("x y\n1 2 3\n", r"line 1: the header names 2 columns, the points have 3"),
        ("x y x\n1 2 3\n", r"line 1: column 'x' is there twice"),
        ("1 2 3\n4 \x005 6\n", r"line 2: holds a NUL byte"),
        ("", r"is empty"),
        ("x y z\nhello there you\n", r"line 2: no line of numbers follows"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "room.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=f"room.txt: {message}.*; ") as stop:
        read_points(path)
    assert "\n" not in str(stop.value)


def test_a_column_of_text_is_left_out_and_said_where(tmp_path: Path) -> None:
    path = tmp_path / "room.csv"
    path.write_text("x,y,z,what\n1,2,3,7\n\n4,5,6,chair\n")
    table = read_points(path)
    assert list(table.columns) == ["x", "y", "z"]
    assert table.left_out == {"what": "line 4: column 'what' is 'chair', not a number"}


def scan(path: Path, *, text: bool = False, order: str = "<") -> np.ndarray:
    """A PLY of four points with faces of three and four corners."""
    fields = [("x", "f8"), ("y", "f8"), ("z", "f8"), ("id", "u4"), ("gps_time", "f8")]
    vertex = np.zeros(4, fields)
    vertex["x"], vertex["id"] = 5e5 + np.arange(4) / 8, 2**32 - 1 - np.arange(4)
    face = np.empty(2, [("vertex_indices", "i4", (3,))])
    face["vertex_indices"] = [[0, 1, 2], [1, 2, 3]]
    elements = [PlyElement.describe(vertex, "vertex"), PlyElement.describe(face, "face")]
    PlyData(elements, text=text, byte_order=order, comments=["by a scanner"]).write(str(path))
    return vertex


@pytest.mark.parametrize("form", [{}, {"text": True}, {"order": ">"}])
def test_ply_goes_through_unchanged(tmp_path: Path, form: dict[str, bool]) -> None:
    vertex = scan(tmp_path / "a.ply", **form)  # type: ignore[arg-type]
    table = read_points(tmp_path / "a.ply")
    added = {"instance": np.array([1, 0, -1, 2]), "score": np.array([0.5, 1, 0, 0.25], np.float32)}
    write_points_ply(tmp_path / "b.ply", table, added, ["class 0 chair"])
    again = PlyData.read(str(tmp_path / "b.ply"))
    assert again.byte_order == "<" and not again.text
    assert list(again.comments) == ["by a scanner", "class 0 chair"]
    for name in vertex.dtype.names or ():
        np.testing.assert_array_equal(again["vertex"][name], vertex[name])
        assert again["vertex"].data.dtype[name].newbyteorder("=") == vertex.dtype[name]
    assert again["vertex"]["instance"].tolist() == [1, 0, -1, 2]
    assert [list(row[0]) for row in again["face"].data] == [[0, 1, 2], [1, 2, 3]]


def test_numbers_that_ply_has_not(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz", xyz=np.zeros((2, 3), np.float16), big=np.array([2**40, 1]),
        small=np.array([3, -1]), flag=np.array([True, False]), about="no column",
    )  # fmt: skip
    table = read_points(tmp_path / "a.npz")
    write_points_ply(tmp_path / "a.ply", table, {})
    vertex = PlyData.read(str(tmp_path / "a.ply"))["vertex"]
    kinds = {name: vertex.data.dtype[name].str[1:] for name in vertex.data.dtype.names}
    assert kinds == {"x": "f4", "y": "f4", "z": "f4", "big": "f8", "small": "i4", "flag": "u1"}
    assert vertex["big"].tolist() == [2**40, 1]


def test_names_and_comments_that_ply_has_not(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y,z,GPS time,GPS_time,h\xf6he\n1,2,3,4,5,6\n", encoding="latin-1")
    table = read_points(path)
    write_points_ply(tmp_path / "a.ply", table, {"score": np.ones(1)}, ["class 0 T\xfcr\nauf"])
    again = PlyData.read(str(tmp_path / "a.ply"))
    vertex = again["vertex"]
    names = ["x", "y", "z", "GPS_time_", "GPS_time", "h_he", "score"]
    assert list(vertex.data.dtype.names) == names
    assert [float(vertex[name][0]) for name in names] == [1, 2, 3, 4, 5, 6, 1]
    assert list(again.comments) == ["class 0 T\\xfcr auf"]


def test_an_array_called_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", pos=ROWS[:, :3])
    table = read_points(tmp_path / "a.npz")
    write_points_npz(tmp_path / "b.npz", table, {"file": np.arange(3), "a name": np.ones(3)})
    with np.load(tmp_path / "b.npz") as again:
        assert again.files == ["pos", "file", "a name"] and again["file"].tolist() == [0, 1, 2]


def test_npz_keeps_its_arrays(tmp_path: Path) -> None:
    arrays = {"coord": ROWS[:, :3], "color": ROWS[:, 3:].astype(np.uint8), "origin": np.ones(3)}
    arrays["normal"] = np.ones((3, 3))
    np.savez(tmp_path / "a.npz", **arrays)
    table = read_points(tmp_path / "a.npz")
    names = ["x", "y", "z", "red", "green", "blue", "origin", "normal_0", "normal_1", "normal_2"]
    assert list(table.columns) == names
    write_points_npz(tmp_path / "b.npz", table, {"instance": np.zeros(3)})
    with np.load(tmp_path / "b.npz") as again:
        assert set(again.files) == {*arrays, "instance"}
        np.testing.assert_array_equal(again["coord"], arrays["coord"])


def test_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ROWS)
    assert list(read_points(tmp_path / "a.npy").columns) == list("123456")
    np.save(tmp_path / "b.npy", np.zeros(3, [("x", "f4"), ("y", "f4"), ("z", "f4")]))
    assert read_points(tmp_path / "b.npy").named
    np.save(tmp_path / "c.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"c.npy: has shape \(3,\); give \(P, C\)"):
        read_points(tmp_path / "c.npy")


def test_what_is_no_file_of_points(tmp_path: Path) -> None:
    (tmp_path / "a.las").write_bytes(b"LASF")
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "a.ply").write_bytes(b"ply\nformat ascii 1.0\nelement face 0\nend_header\n")
    (tmp_path / "b.npz").write_bytes(b"PK")
    np.savez(tmp_path / "c.npz", places=ROWS)
    scan(tmp_path / "short.ply")
    whole = (tmp_path / "short.ply").read_bytes()
    (tmp_path / "short.ply").write_bytes(whole[: whole.index(b"end_header") + 60])
    for name, message in {
        "none.ply": "no such file",
        "a.las": "unknown format; .*convert it, for example with: pdal translate",
        "a.jpg": "unknown format; give one of .ply",
        "a.ply": "cannot be read as PLY with an element 'vertex'",
        "short.ply": "element 'vertex' 1.*: early end-of-file; is the file whole",
        "b.npz": "cannot be read",
        "c.npz": "no array 'pos', .*; it has places; rename one",
    }.items():
        with pytest.raises(InputError, match=f"{name}: {message}"):
            read_points(tmp_path / name)

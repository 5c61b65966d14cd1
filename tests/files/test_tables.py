from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.files.lines import plain_rows, read_bytes
from geoinfluencer.files.tables import line_of_row, no_duplicates, read_table

INTS = {"id": "int"}


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_big_integers_survive_beside_floats(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "id,v\n9007199254740993,1.5\n-1,2\n")
    got = read_table(path, {"id": "int", "v": "float"})
    assert got["id"].dtype == np.int64
    assert got["id"].tolist() == [9007199254740993, -1]
    assert got["v"].tolist() == [1.5, 2.0]


def test_integral_floats_are_taken_when_exact_and_refused_when_digits_are_lost(
    tmp_path: Path,
) -> None:
    path = table(tmp_path / "t.csv", "id\n17.0\n-3.\n")
    assert read_table(path, INTS)["id"].tolist() == [17, -3]
    path = table(tmp_path / "t.csv", "id\n17\n9007199254740993.0\n")
    with pytest.raises(InputError, match=r"t\.csv: line 3: column 'id'.*9007199254740993\.0"):
        read_table(path, INTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the file is empty"),
        ("id\n", "header but no rows"),
        ("x\n1\n", "line 1: .*needs column.*'id'; the header has x"),
        ("id\n1\n\nabc\n", "line 4: column 'id'.*'abc', expected a 64-bit integer"),
        ("id\n1\n99999999999999999999\n", "line 3: column 'id'"),
        ("v,id\n1,2\n3\n", "line 3: 1 values where the header names 2"),
        ("id\n1\n1e3\n", "line 3: column 'id'.*'1e3'"),
        ("id,v\n1,2\n3,4,5\n", "line 3: 3 values where the header names 2 columns; correct it"),
        ("id,v\n1,2,9\n3,4,9\n", "line 2: 3 values where the header names 2"),
        ("id,v,w\n1,2,3\n\n4,5\n", "line 4: 2 values where .* 3 columns; is the file cut off"),
        ("id,v\r\n1,2\r\n3\r\n", "line 3: 1 values"),
        ("id,v\n1,2\n3", "line 3: 1 values"),
        ('id,v\n"1,2\n3,4\n', "line 3: 1 values"),
        ("id,id\n1,2\n", "line 1: column 'id' is there twice"),
        ("x" * 300_000, r"cannot be read \(field larger than field limit"),
        ("id,v\n1," + "x" * 300_000 + "\n", r"cannot be read \(field larger than field limit"),
    ],
)
def test_bad_files_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = table(tmp_path / "t.csv", text)
    with pytest.raises(InputError, match=message) as caught:
        read_table(path, INTS)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_non_finite_values_are_refused_where_asked(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "v\n1\nnan\n")
    assert np.isnan(read_table(path, {"v": "float"})["v"][1])
    with pytest.raises(InputError, match="line 3: column 'v' is not a finite"):
        read_table(path, {"v": "float"}, finite=("v",))
    path = table(tmp_path / "t.csv", "v\n1\nx1\n")
    with pytest.raises(InputError, match="line 3: column 'v'.*'x1', expected a number"):
        read_table(path, {"v": "float"})


def test_cut_off_gzip_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(b"id\n" + b"123456\n" * 2000)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(whole)
    assert len(read_table(path, INTS)["id"]) == 2000
    path.write_bytes(whole[:-20])
    with pytest.raises(InputError, match=r"t\.csv\.gz: cannot be read"):
        read_table(path, INTS)
    path.write_bytes(b"id\n1\n")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(path, INTS)


def test_missing_file_byte_order_mark_and_optional_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv", INTS)
    (tmp_path / "t.csv").write_bytes("\ufeffid, v\n1, 2\n".encode())
    got = read_table(tmp_path / "t.csv", INTS, {"v": "float", "w": "float"})
    assert got.keys() == {"id", "v"}


def test_line_of_row_counts_blank_lines(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "id\n1\n\n\n2\n")
    assert line_of_row(path, 0) == 2
    assert line_of_row(path, 1) == 5


def test_a_repeated_id_is_named_with_its_place(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "id\n5\n7\n\n5\n7\n")
    ids = read_table(path, INTS)["id"]
    with pytest.raises(InputError, match=r"line 5: id 5 appears a second time \(2 repeated row"):
        no_duplicates(path, "id", ids)
    with pytest.raises(InputError, match="row 2: id 5"):
        no_duplicates(path, "id", ids, place="row {}".format)
    no_duplicates(path, "id", ids[:2])
    no_duplicates(path, "id", ids[:0])


@pytest.mark.parametrize(
    "text",
    [
        "id,v\n1,0.5\n2,\n",
        "id,v\r\n1,0.5\r\n\r\n2,\r\n",
        "id,v\r1,0.5\r2,\r",
        "id,v\n1,0.5\n2,",
        '"id","v"\n1,"0.5"\n"2",""\n',
        'note,id,v\n"a,b",1,0.5\n"c\nd",2,\n',
    ],
    ids=["plain", "windows", "old mac", "no last newline", "quoted", "commas in quotes"],
)
def test_line_ends_and_quotes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    got = read_table(path, {"id": "int", "v": "float"})
    assert got["id"].tolist() == [1, 2]
    np.testing.assert_array_equal(got["v"], [0.5, np.nan])


def test_a_row_that_is_too_short_is_refused_even_where_only_unread_columns_are_lost(
    tmp_path: Path,
) -> None:
    path = table(tmp_path / "t.csv", "id,v,w\n1,2,3\n4,5\n")
    for kinds in (INTS, {"id": "int", "w": "float"}):
        with pytest.raises(InputError, match="line 3: 2 values"):
            read_table(path, kinds)


def test_whole_events_are_parsed_the_fast_way(test_data: Path) -> None:
    path = test_data / "trackml" / "event000021000-truth.csv.gz"
    assert plain_rows(read_bytes(path), 9) == len(read_table(path, {"hit_id": "int"})["hit_id"])

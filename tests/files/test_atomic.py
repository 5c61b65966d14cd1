from __future__ import annotations

from pathlib import Path

import pytest

from geoinfluencer.files.atomic import atomic_path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and names(tmp_path) == ["a.txt"]


def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="broken"), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("broken")
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_folder_is_made_and_suffixes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "t.csv.gz"
    with atomic_path(str(path)) as temporary:
        assert temporary.parent == path.parent and temporary.name.endswith(".csv.gz")
        temporary.write_bytes(b"x")
    assert path.read_bytes() == b"x"


def test_two_writers_have_files_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic_path(path) as first:
        first.write_text("first")
        with atomic_path(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" and names(tmp_path) == ["a.txt"]

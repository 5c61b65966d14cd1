from __future__ import annotations

from pathlib import Path

import pytest

from geoinfluencer.datasets import CATALOG, SyntheticRooms, ToyTracks, TrackML, resolve_dataset
from geoinfluencer.datasets.catalog import is_generated
from geoinfluencer.errors import InputError


def test_names() -> None:
    assert resolve_dataset("toy-tracks") is ToyTracks
    assert resolve_dataset("trackml") is TrackML
    assert resolve_dataset("synthetic-rooms") is SyntheticRooms
    for entry in CATALOG.values():
        assert entry.description and "\n" not in entry.description
        scored = (entry.cls.protocol, entry.cls.primary_metric)
        known = (("trackml", "dm_efficiency"), ("rooms", "pq"), ("images", "pq"), ("lines", "pq"))
        assert scored in known


def test_which_make_their_samples_up() -> None:
    made = {name for name, entry in CATALOG.items() if is_generated(entry.cls)}
    assert made == {"toy-tracks", "synthetic-rooms", "synthetic-charts", "shapes"}
    assert not is_generated(type("Mine", (SyntheticRooms,), {}))


def test_own_class_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_own_data.py").write_text(
        "from torch_geometric.data import Dataset\nclass Mine(Dataset):\n    pass\nOther = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    assert resolve_dataset("my_own_data:Mine").__name__ == "Mine"
    with pytest.raises(InputError, match="'Mnie' of my_own_data.*did you mean 'Mine'"):
        resolve_dataset("my_own_data:Mnie")
    with pytest.raises(InputError, match=r"'Other' of my_own_data is not a torch_geometric"):
        resolve_dataset("my_own_data:Other")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("trackm", "did you mean 'trackml'"),
        ("zzz", "known here: .*toy-tracks, trackml"),
        ("no_such_module:A", "cannot import 'no_such_module'"),
        (":A", "cannot import ''"),
    ],
)
def test_unknown(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_dataset(name)

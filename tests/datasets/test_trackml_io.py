from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geoinfluencer.datasets import trackml_cache
from geoinfluencer.datasets.trackml_cache import load_event
from geoinfluencer.datasets.trackml_io import find_events, read_event
from geoinfluencer.errors import InputError

WriteEvent = Callable[..., dict[str, pd.DataFrame]]


def test_whole_event(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event(suffix=".csv.gz")
    (files,) = find_events(tmp_path)
    event = read_event(files)
    assert event.name == "event000000001"
    np.testing.assert_array_equal(event.hit_id, tables["hits"]["hit_id"])
    np.testing.assert_array_equal(event.particle_id, tables["truth"]["particle_id"])
    assert event.particle_id is not None and event.particle_id.max() > 2**53
    momentum = tables["particles"].set_index("particle_id")
    signal = event.particle_id > 0
    p = momentum.loc[event.particle_id[signal]]
    pt = np.hypot(p["px"], p["py"])
    assert event.pt is not None and event.eta is not None
    np.testing.assert_allclose(event.pt[signal], pt, rtol=1e-6)
    np.testing.assert_allclose(event.eta[signal], np.arcsinh(p["pz"] / pt), rtol=1e-5)
    assert np.isnan(event.pt[~signal]).all()
    assert event.features is None


def test_hits_alone(tmp_path: Path, write_event: WriteEvent) -> None:
    write_event(kinds=("hits",))
    event = read_event(find_events(tmp_path)[0])
    assert event.particle_id is None and event.pt is None and event.weight is None


def test_truth_in_another_order_and_without_particles(
    tmp_path: Path, write_event: WriteEvent
) -> None:
    tables = write_event()
    whole = read_event(find_events(tmp_path)[0])
    path = tmp_path / "event000000001-truth.csv"
    tables["truth"].sample(frac=1, random_state=0).to_csv(path, index=False)
    (tmp_path / "event000000001-particles.csv").unlink()
    again = read_event(find_events(tmp_path)[0])
    np.testing.assert_array_equal(whole.particle_id, again.particle_id)
    np.testing.assert_allclose(whole.pt, again.pt, rtol=1e-6)


def test_momentum_is_taken_at_the_innermost_hit(tmp_path: Path) -> None:
    (tmp_path / "a-hits.csv").write_text(
        "hit_id,x,y,z,volume_id,layer_id,module_id\n1,90,0,0,8,2,1\n2,30,0,0,8,2,1\n3,60,0,0,8,2,1\n"
    )
    (tmp_path / "a-truth.csv").write_text(
        "hit_id,particle_id,tx,ty,tz,tpx,tpy,tpz\n"
        "1,7,90,0,0,3,0,0\n2,7,30,0,0,5,0,0\n3,7,60,0,0,4,0,0\n"
    )
    event = read_event(find_events(tmp_path)[0])
    assert event.pt is not None and event.pt.tolist() == [5.0, 5.0, 5.0]
    assert event.weight is not None and event.weight.tolist() == [1.0, 1.0, 1.0]


def test_particle_without_a_row_is_unknown(tmp_path: Path, write_event: WriteEvent) -> None:
    tables = write_event()
    lost = int(tables["particles"]["particle_id"][0])
    tables["particles"][1:].to_csv(tmp_path / "event000000001-particles.csv", index=False)
    truth = tables["truth"]
    truth.loc[truth["particle_id"] == lost, ["tpx", "tpy", "tpz"]] = 0.0
    truth.to_csv(tmp_path / "event000000001-truth.csv", index=False)
    event = read_event(find_events(tmp_path)[0])
    assert event.particle_id is not None and event.pt is not None
    hits = event.particle_id == lost
    assert hits.any() and np.isnan(event.pt[hits]).all()
    assert not np.isnan(event.pt[(event.particle_id > 0) & ~hits]).any()


def test_discovery_one_level_deep_and_ambiguity(tmp_path: Path, write_event: WriteEvent) -> None:
    write_event("event000000002", folder="b")
    write_event("event000000001", folder="a")
    assert [e.name for e in find_events(tmp_path)] == ["event000000001", "event000000002"]
    assert find_events(tmp_path / "a" / "event000000001-hits.csv")[0].truth is not None
    write_event("event000000001", folder="b")
    with pytest.raises(InputError, match="event000000001.*also in"):
        find_events(tmp_path)


def test_no_events(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no TrackML events"):
        find_events(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_events(tmp_path / "none")
    (tmp_path / "x.csv").write_text("a\n")
    with pytest.raises(InputError, match="not a hits file"):
        find_events(tmp_path / "x.csv")


def edit(table: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    table = table.astype(object)
    table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("hits", lambda t: t.drop(columns="z"), r"-hits\.csv: line 1: .*'z'"),
        ("hits", lambda t: edit(t, 4, "x", "1.2.3"), r"-hits\.csv: line 6: column 'x'.*'1\.2\.3'"),
        ("hits", lambda t: edit(t, 4, "x", "nan"), r"-hits\.csv: line 6: column 'x' is not a fin"),
        (
            "hits",
            lambda t: edit(t, 4, "hit_id", t["hit_id"][1]),
            r"-hits\.csv: line 6: hit_id \d+ appears a second time",
        ),
        ("hits", lambda t: t[:0], r"-hits\.csv: .*no rows"),
        (
            "truth",
            lambda t: t[1:],
            r"-truth\.csv: 1 hit\(s\) have no truth row.*line 2 of the hits",
        ),
        (
            "truth",
            lambda t: pd.concat([t, t[:1].assign(hit_id=10**6)]),
            r"-truth\.csv: line \d+: hit_id 1000000 is not among the hits",
        ),
        (
            "truth",
            lambda t: edit(t, 2, "particle_id", "9007199254740993.0"),
            r"line 4: column 'part",
        ),
        ("truth", lambda t: edit(t, 2, "weight", ""), r"line 4: column 'weight' is not a finite"),
        (
            "particles",
            lambda t: edit(t, 3, "particle_id", t["particle_id"][0]),
            r"-particles\.csv: line 5: particle_id \d+ appears a second time",
        ),
        ("particles", lambda t: t.drop(columns="pz"), r"-particles\.csv: line 1: .*'pz'"),
    ],
)
def test_bad_files(
    tmp_path: Path, write_event: WriteEvent, kind: str, change: Any, message: str
) -> None:
    tables = write_event()
    change(tables[kind]).to_csv(tmp_path / f"event000000001-{kind}.csv", index=False)
    with pytest.raises(InputError, match=message) as caught:
        read_event(find_events(tmp_path)[0])
    assert "\n" not in str(caught.value)


def test_cache_is_used_and_follows_changes(
    tmp_path: Path, write_event: WriteEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tables = write_event()
    (files,) = find_events(tmp_path)
    first = load_event(files)
    assert list((tmp_path / "cache" / "geoinfluencer").iterdir())

    def not_again(*args: object, **kwargs: object) -> None:
        raise AssertionError("parsed again")

    with monkeypatch.context() as patch:
        patch.setattr(trackml_cache, "read_event", not_again)
        again = load_event(files)
    for name, value in vars(first).items():
        np.testing.assert_array_equal(value, getattr(again, name))
    tables["hits"]["x"] += 1000.0
    tables["hits"].to_csv(files.hits, index=False)
    assert load_event(files).pos[0, 0] == pytest.approx(first.pos[0, 0] + 1000, rel=1e-5)


def test_damaged_cache_is_replaced(
    tmp_path: Path, write_event: WriteEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_event()
    (files,) = find_events(tmp_path)
    first = load_event(files)
    (entry,) = (tmp_path / "cache" / "geoinfluencer").iterdir()
    entry.write_bytes(entry.read_bytes()[:100])
    np.testing.assert_array_equal(load_event(files).pos, first.pos)
    assert entry.stat().st_size > 100


def write_cells(folder: Path, with_detectors: bool) -> None:
    (folder / "a-hits.csv").write_text(
        "hit_id,x,y,z,volume_id,layer_id,module_id\n5,0,30,1,8,2,1\n6,60,0,0,8,4,7\n"
    )
    (folder / "a-cells.csv").write_text(
        "hit_id,ch0,ch1,value\n5,10,3,0.5\n5,12,3,1.5\n5,11,4,1\n99,0,0,1\n"
    )
    if with_detectors:
        header = "volume_id,layer_id,module_id,cx,cy,cz," + ",".join(
            f"rot_{a}{b}" for a in "xyz" for b in "uvw"
        )
        header += ",module_t,module_minhu,module_maxhu,module_hv,pitch_u,pitch_v\n"
        # u along y, v along z, w along x
        rows = [f"8,{m},0,0,0,0,0,1,1,0,0,0,1,0,0.15,8,8,36,0.05,0.06\n" for m in ("2,1", "4,7")]
        (folder / "detectors.csv").write_text(header + "".join(rows))


def test_cell_features(tmp_path: Path) -> None:
    write_cells(tmp_path, with_detectors=False)
    features = read_event(find_events(tmp_path)[0]).features
    assert features is not None
    np.testing.assert_allclose(np.expm1(features), [[3, 3, 3, 2], [0, 0, 0, 0]], rtol=1e-6)
    assert read_event(find_events(tmp_path)[0], cells=False).features is None


def test_cell_directions(tmp_path: Path) -> None:
    write_cells(tmp_path, with_detectors=True)
    features = read_event(find_events(tmp_path)[0]).features
    assert features is not None and features.shape == (2, 10)
    u, v, w = 3 * 0.05, 2 * 0.06, 0.3
    length = np.sqrt(u**2 + v**2 + w**2)
    # The first hit is at phi = 90 degrees: r is y, phi is -x.
    expected = [u, v, w, u / length, w / length, v / length]
    np.testing.assert_allclose(features[0, 4:], expected, rtol=1e-5)
    np.testing.assert_allclose(features[1, 4:], [0, 0, 0.3, 1, 0, 0], atol=1e-6)
    path = tmp_path / "detectors.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(InputError, match=r"detectors\.csv: no row for volume 8, layer 4, module 7"):
        read_event(find_events(tmp_path)[0])


def test_real_events(test_data: Path) -> None:
    events = [read_event(files) for files in find_events(test_data / "trackml")]
    assert [len(e.hit_id) for e in events] == [66112, 32298]
    for event, noise, unknown in zip(events, (0.0569, 0.0585), (2159, 1030), strict=True):
        assert event.particle_id is not None and event.pt is not None
        assert (event.particle_id == 0).mean() == pytest.approx(noise, abs=1e-4)
        assert (np.isnan(event.pt) & (event.particle_id != 0)).sum() == unknown

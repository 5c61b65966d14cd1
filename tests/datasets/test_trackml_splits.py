from __future__ import annotations

import numpy as np
import pytest

from geoinfluencer.datasets.trackml_splits import Piece, in_sector, phi_share, split_pieces
from geoinfluencer.errors import InputError


def names(count: int) -> list[str]:
    return [f"event{i:09d}" for i in range(count)]


def events(count: int, split: str, **options: object) -> list[str]:
    return [piece.event for piece in split_pieces(names(count), split, **options)]


def test_single_event_is_cut_into_disjoint_wedges_that_cover_it() -> None:
    share = phi_share(np.random.default_rng(0).uniform(-np.pi, np.pi, 1000))
    masks = [split_pieces(names(1), s)[0].mask(share) for s in ("train", "val", "calib")]
    np.testing.assert_array_equal(np.sum(masks, axis=0), np.ones(1000))
    assert [m.sum() for m in masks] == [800, 100, 100]


@pytest.mark.parametrize(
    ("count", "train", "calib", "test", "val"),
    [(2, 1, 0, 0, 1), (9, 8, 0, 0, 1), (10, 8, 0, 1, 1), (20, 15, 1, 2, 2), (100, 75, 5, 10, 10)],
)
def test_default_shares(count: int, train: int, calib: int, test: int, val: int) -> None:
    assert events(count, "train") == names(count)[:train]
    assert events(count, "val") == names(count)[count - val :]
    if test:
        assert events(count, "test") == names(count)[train + calib : train + calib + test]
    else:
        with pytest.raises(InputError, match="no test split"):
            events(count, "test")
    pieces = split_pieces(names(count), "calib")
    if calib:
        assert [p.event for p in pieces] == names(count)[train : train + calib]
        assert all(p == Piece(p.event) for p in pieces)
        assert split_pieces(names(count), "train")[0].drop == ()
    else:
        assert [p.event for p in pieces] == names(count)[:train]
        assert split_pieces(names(count), "train")[0].drop == (pieces[0].keep,)
    assert events(count, "all") == names(count)


def test_named_events() -> None:
    a, b, c = names(3)
    assert events(3, "train", train_events=[a]) == [a]
    assert events(3, "val", train_events=[a]) == [b, c]
    assert events(3, "train", val_events=[a]) == [b, c]
    assert events(3, "test", val_events=[a], test_events=[b]) == [b]
    assert events(3, "train", val_events=[a], test_events=[b], calib_events=[c][:0]) == [c]
    # Training on everything leaves a wedge for validation.
    whole = split_pieces(names(3), "val", train_events=[a, b, c])
    assert [p.event for p in whole] == [a, b, c] and whole[0].keep == (0.0, 0.1)


def test_bad_names() -> None:
    a, b = names(2)
    with pytest.raises(InputError, match=f"val_events: no event 'event00000001'.*{b!r}"):
        events(2, "val", val_events=["event00000001"])
    with pytest.raises(InputError, match="is also in"):
        events(2, "val", val_events=[a], test_events=[a])
    with pytest.raises(InputError, match="named twice"):
        events(2, "val", val_events=[a, a])
    with pytest.raises(InputError, match="left for training"):
        events(2, "val", val_events=[a, b])
    with pytest.raises(InputError, match="'valid' does not exist"):
        events(2, "valid")


@pytest.mark.parametrize(("low", "high"), [(0.0, np.pi), (-np.pi, 0.0), (2.5, 4.5)])
def test_half_events_have_connected_filled_wedges(low: float, high: float) -> None:
    phi = np.random.default_rng(1).uniform(low, high, 2000)
    share = phi_share(np.angle(np.exp(1j * phi)))
    inside = Piece("a", keep=(0.0, 0.1)).mask(share)
    assert inside.sum() == 200
    assert np.ptp(phi[inside]) < 1.3 * 0.1 * (high - low)


def test_sector_across_the_cut() -> None:
    phi = np.array([3.1, -3.1, 0.0])
    assert in_sector(phi, 3.0, 0.5).tolist() == [True, True, False]


def test_share_of_nothing() -> None:
    assert phi_share(np.empty(0)).shape == (0,)

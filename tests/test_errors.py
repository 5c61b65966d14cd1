from __future__ import annotations

import pytest

from geoinfluencer.errors import suggest

KNOWN = {"trackml": 1, "toy-tracks": 2, "embedding_dim": 3}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("trakml", "did you mean 'trackml'?"),
        ("dim", "did you mean 'embedding_dim'?"),  # a part of the name
        ("zzz", "known here: embedding_dim, toy-tracks, trackml"),
        ("", "known here: embedding_dim, toy-tracks, trackml"),
    ],
)
def test_near_names_are_suggested_and_others_listed(name: str, hint: str) -> None:
    assert suggest(name, KNOWN) == hint


def test_long_lists_can_be_cut_and_empty_ones_say_so() -> None:
    assert suggest("zzz", KNOWN, most=2) == "known here: embedding_dim, toy-tracks and 1 more"
    assert suggest("zzz", []) == "known here: nothing"

from __future__ import annotations

from geoinfluencer.cli import compare_kinds
from geoinfluencer.compare import reporting


def test_what_the_command_starts_has_its_own_report() -> None:
    assert set(compare_kinds.KINDS) == set(reporting.REPORTINGS)


def test_every_option_of_a_kind_exists() -> None:
    from geoinfluencer.cli.main import build_parser

    options = build_parser().parse_args(["compare", "--dataset", "toy-tracks"])
    for kind in (compare_kinds.TRAINING, *compare_kinds.KINDS.values()):
        assert kind.options <= set(vars(options))

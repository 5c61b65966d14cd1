from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from geoinfluencer.cli.main import main
from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.report import Report, render_report, write_report

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Loads(HTMLParser):
    """Collects whatever a browser would fetch, and checks that tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.anchors: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "data", "srcset", "poster") or (name == "href" and tag == "link"):
                self.fetched.append(value or "")
            if name == "href" and tag == "a":
                self.anchors.append((value or "").removeprefix("#"))
            if name == "id":
                self.ids.append(value or "")
        assert tag != "script"
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parse(text: str) -> Loads:
    parser = Loads()
    parser.feed(text)
    assert parser.open == []
    return parser


def report(**changes: object) -> Report:
    values: dict[str, object] = {
        "title": "a <run>",
        "subtitle": "protocol nodes",
        "metrics": {"ari": 0.51234, "num": 1234, "other": None, "flag": True, "device": "cpu"},
        "definitions": {"ari": "adjusted Rand index < 1 & such"},
        "figures": [
            Figure("k", "Events", "t", "c", PIXEL),
            Figure("l", "Learning", "t", "c", PIXEL),
        ],
        "config": "train:\n  seed: 0\n",
        "versions": {"torch": "2.0"},
    }
    return Report(**{**values, **changes})  # type: ignore[arg-type]


def test_everything_is_inside_and_escaped() -> None:
    text = render_report(report())
    parsed = parse(text)
    assert len(parsed.fetched) == 2
    assert all(source.startswith("data:image/png;base64,") for source in parsed.fetched)
    assert "url(" not in text and "@import" not in text
    assert parsed.anchors == parsed.ids == ["scores", "events", "learning", "configuration"]
    assert "a &lt;run&gt;" in text and "index &lt; 1 &amp; such" in text
    for shown in ("0.5123", "1,234", "undefined", "True", "seed: 0", "torch 2.0"):
        assert shown in text


def test_unfinished_run_has_no_scores() -> None:
    parsed = parse(render_report(report(metrics={}, config="")))
    assert parsed.ids == ["events", "learning"]


def test_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("good")

    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="disk full"):
        write_report(path, report())
    assert path.read_text() == "good" and len(list(tmp_path.iterdir())) == 1


def test_report_of_a_real_run_has_every_section(tmp_path: Path) -> None:
    settings = [
        "data.train_events=8", "data.calib_events=2", "data.val_events=2", "data.num_tracks=4",
        "data.dim=3", "model.hidden_channels=8", "model.num_layers=1", "train.batch_size=4",
        "train.workers=0", "train.accelerator=cpu",
    ]  # fmt: skip
    arguments = [
        "train",
        "--dataset",
        "toy-tracks",
        "--max-steps",
        "2",
        "--out",
        str(tmp_path / "r"),
    ]
    assert main([*arguments, "--set", *settings]) == 0
    text = (tmp_path / "r" / "report.html").read_text()
    parsed = parse(text)
    assert parsed.ids == [
        "scores", "events", "embedding", "efficiency", "learning", "calibration", "configuration",
    ]  # fmt: skip
    assert all(source.startswith("data:") for source in parsed.fetched)
    assert not re.search(r"https?://", text)
    for words in (
        "Across the beam",
        "Along the beam",
        "pT &gt;= 0 GeV",
        "dm_efficiency",
        "max_steps",
    ):
        assert words in text

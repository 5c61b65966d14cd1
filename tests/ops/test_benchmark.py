"""The kernel benchmark runs, compares its peers and writes what it says."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "potential.py"


@pytest.mark.skipif(not SCRIPT.is_file(), reason="benchmarks/ is not part of this checkout")
def test_small_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        sys, "argv", ["potential.py", "--points", "600", "--repeats", "1", "--out", str(tmp_path)]
    )
    runpy.run_path(str(SCRIPT), run_name="__main__")
    report = json.loads((tmp_path / "potential.json").read_text())
    assert [(case["dim"], case["kind"]) for case in report["cases"]][:2] == [
        (3, "clustered"),
        (8, "clustered"),
    ]
    for case in report["cases"]:
        assert "dense" in case["results"]  # compared with, or the run would have failed
        assert all(row["median_ms"] > 0 for row in case["results"].values())
    assert "potential.json" in capsys.readouterr().out

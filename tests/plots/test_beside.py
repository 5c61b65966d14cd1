from __future__ import annotations

import math
from typing import Any

from geoinfluencer.plots.beside import beside, beside_html, beside_lines
from geoinfluencer.plots.report import Report, render_report

NAMES = ["ap", "agnostic_ap50", "agnostic_mcov", "unassigned"]


def metrics(agnostic: bool = False) -> dict[str, Any]:
    """Of a model with classes, as JSON has them; a baseline knows no ``ap``."""
    return {
        "ap": 0.25,
        "agnostic_ap50": 0.5,
        "agnostic_mcov": None,
        "unassigned": 3,
        "class_agnostic": agnostic,
        "baselines": {
            "components": {
                "agnostic_ap50": 0.125, "agnostic_mcov": math.nan, "unassigned": 0,
                "settings": {"threshold": 0.3, "color": 0.0},
            },
            "dbscan<": {
                "agnostic_ap50": 0.75, "agnostic_mcov": 0.5, "unassigned": 2,
                "settings": {"radius": 0.1},
            },
        },
    }  # fmt: skip


def test_what_all_columns_have_is_compared() -> None:
    table = beside(metrics(), NAMES)
    assert table is not None and table.columns == ("model", "components", "dbscan<")
    (first, values), (second, undefined) = table.rows
    assert (first, values) == ("agnostic_ap50", (0.5, 0.125, 0.75))
    assert second == "agnostic_mcov"  # counts, which are no shares, are left out
    assert [math.isnan(value) for value in undefined] == [True, True, False]
    assert table.settings == (("components", "threshold 0.3, color 0"), ("dbscan<", "radius 0.1"))
    assert beside({"ap": 0.5, "class_agnostic": True}, NAMES) is None
    # without classes every metric of the model may be compared, if the others have it
    assert [name for name, _ in beside(metrics(True), NAMES).rows] == [first, second]


def test_lines_of_the_table() -> None:
    table = beside(metrics(), NAMES)
    assert table is not None and beside_lines(table) == [
        "  beside                         model  components     dbscan<",
        "  agnostic_ap50                 0.5000      0.1250      0.7500",
        "  agnostic_mcov                      -           -      0.5000",
        "  components: threshold 0.3, color 0",
        "  dbscan<: radius 0.1",
    ]


def test_a_report_shows_the_table() -> None:
    words = {"agnostic_ap50": "precision", "agnostic_mcov": "coverage"}
    report = Report("title", "subtitle", metrics(), words, [], "", {})
    page = render_report(report)
    assert '<a href="#baselines">Baselines</a>' in page and '<h2 id="baselines">' in page
    assert "<th>metric</th><th>model</th><th>components</th><th>dbscan&lt;</th>" in page
    cells = "".join(f'<td class="n">{value}</td>' for value in ("0.5000", "0.1250", "0.7500"))
    assert f"<tr><td>agnostic_ap50</td>{cells}</tr>" in page
    assert "components: threshold 0.3, color 0; dbscan&lt;: radius 0.1." in page
    table = beside(metrics(), list(words))
    assert table is not None and beside_html(table) in page
    assert "&#x27;settings&#x27;" not in page  # nor as a row of the rest
    plain = {key: value for key, value in metrics().items() if key != "baselines"}
    assert "aselines" not in render_report(Report("title", "", plain, words, [], "", {}))

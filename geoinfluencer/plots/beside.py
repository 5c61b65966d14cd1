"""A model and the clusterings without one that were scored beside it, as one table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Beside:
    """The table.

    Attributes:
        columns: ``model``, then the names of the baselines.
        rows: name of a metric, and its value in every column; nan = undefined.
        settings: of each baseline, in words.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]
    settings: tuple[tuple[str, str], ...]


def beside(metrics: Mapping[str, Any], names: Sequence[str]) -> Beside | None:
    """The table of the contents of ``metrics.json``; ``None`` without baselines.

    Of a model with classes only ``agnostic_`` metrics are compared: baselines know no classes.

    Args:
        metrics: of an evaluation; ``None`` for what is undefined is as good as nan.
        names: of the metrics to compare; those that a column lacks are left out.
    """
    found = metrics.get("baselines")
    if not found:
        return None
    if not metrics["class_agnostic"]:
        names = [name for name in names if name.startswith("agnostic_")]
    columns = {"model": metrics, **found}
    rows = []
    for name in names:
        values = [column.get(name, "none") for column in columns.values()]
        if all(value is None or isinstance(value, float) for value in values):
            rows.append((name, tuple(math.nan if v is None else v for v in values)))
    settings = [
        (method, ", ".join(f"{key} {value:g}" for key, value in column["settings"].items()))
        for method, column in found.items()
    ]
    return Beside(tuple(columns), tuple(rows), tuple(settings))


def beside_lines(table: Beside) -> list[str]:
    """The table for a screen."""
    lines = [f"  {'beside':<24}" + "".join(f"{name:>12}" for name in table.columns)]
    for name, values in table.rows:
        lines.append(f"  {name:<24}" + "".join(f"{_cell(value):>12}" for value in values))
    return lines + [f"  {method}: {words}" for method, words in table.settings]


def beside_html(table: Beside) -> str:
    """The table for a page."""
    head = "".join(f"<th>{escape(name)}</th>" for name in ("metric", *table.columns))
    rows = [
        f"<tr><td>{escape(name)}</td>"
        + "".join(f'<td class="n">{_cell(value)}</td>' for value in values)
        + "</tr>"
        for name, values in table.rows
    ]
    chosen = "; ".join(f"{escape(method)}: {escape(words)}" for method, words in table.settings)
    return (
        f"<table><tr>{head}</tr>{''.join(rows)}</table>"
        '<p class="sub">Clusterings without a model on the same graphs, with the settings that '
        f"score best on the model's own calibration samples. {chosen}.</p>"
    )


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"

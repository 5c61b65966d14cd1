"""How metrics are printed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def print_metrics(metrics: Mapping[str, Any], title: str) -> None:
    """Prints the protocol's own metrics with the window, one per line."""
    from geoinfluencer.training.tasks import FILE_TASKS

    task = FILE_TASKS[metrics["protocol"]](None)
    words = task.window_words(metrics)
    window = f", {words}" if words else ""
    print(f"{title} (protocol {metrics['protocol']}{window})")
    for name in task.definitions():
        if name in metrics:
            print(f"  {name:<24} {_number(metrics[name])}")
    for line in task.table(metrics):
        print(line)
    for line in _beside(metrics, list(task.definitions())):
        print(line)
    for line in task.warnings(metrics):
        print(f"warning: {line}")
    if "ms_per_event" in metrics:
        print(f"  {'ms_per_event':<24} {metrics['ms_per_event']:.1f}")


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return "undefined (null in metrics.json)" if math.isnan(value) else f"{value:.4f}"


def _beside(metrics: Mapping[str, Any], names: list[str]) -> list[str]:
    """A table of the model and the baselines that were scored beside it; empty without any."""
    found = metrics.get("baselines")
    if not found:
        return []
    if not metrics["class_agnostic"]:  # baselines know no classes
        names = [name for name in names if name.startswith("agnostic_")]
    columns = {"model": metrics, **found}
    lines = [f"  {'beside':<24}" + "".join(f"{name:>12}" for name in columns)]
    for name in names:
        values = [column.get(name) for column in columns.values()]
        if all(isinstance(value, float) for value in values):
            cells = "".join("           -" if v != v else f"{v:>12.4f}" for v in values)
            lines.append(f"  {name:<24}{cells}")
    for method, column in found.items():
        chosen = ", ".join(f"{key} {value:g}" for key, value in column["settings"].items())
        lines.append(f"  {method}: {chosen}")
    return lines

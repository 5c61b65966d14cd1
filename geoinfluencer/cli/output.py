"""How metrics are printed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def print_metrics(metrics: Mapping[str, Any], title: str) -> None:
    """Prints the protocol's own metrics with the window, one per line."""
    from geoinfluencer.plots.beside import beside, beside_lines
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
    table = beside(metrics, list(task.definitions()))
    for line in beside_lines(table) if table is not None else ():
        print(line)
    for line in task.warnings(metrics):
        print(f"warning: {line}")
    if "ms_per_event" in metrics:
        print(f"  {'ms_per_event':<24} {metrics['ms_per_event']:.1f}")


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return "undefined (null in metrics.json)" if math.isnan(value) else f"{value:.4f}"

"""How metrics are printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def print_metrics(metrics: Mapping[str, Any], title: str) -> None:
    """Prints the protocol's own metrics with the window, one per line."""
    from geoinfluencer.training.tasks import TASKS

    definitions = TASKS[metrics["protocol"]](None).definitions()
    window = ""
    if metrics.get("pt_min") is not None:
        window = (
            f", pT >= {metrics['pt_min']:g} GeV, |eta| <= {metrics['eta_max']:g}, "
            f">= {metrics['min_hits']:g} hits"
        )
    print(f"{title} (protocol {metrics['protocol']}{window})")
    for name in definitions:
        if name in metrics:
            print(f"  {name:<24} {_number(metrics[name])}")
    if "ms_per_event" in metrics:
        print(f"  {'ms_per_event':<24} {metrics['ms_per_event']:.1f}")


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)

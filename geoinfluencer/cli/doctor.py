"""``geoinfluencer doctor``."""

from __future__ import annotations

import argparse

NAME = "doctor"
HELP = "what this installation is made of and what it can use"
DESCRIPTION = (
    "Prints versions, the backend of each op, CUDA or why not, memory, cores, and the extras found."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace) -> int:
    """Prints the findings."""
    from geoinfluencer.cli.findings import findings

    for section, lines in findings().items():
        print(section)
        width = max(map(len, lines))
        for name, value in lines.items():
            print(f"  {name:<{width}}  {value}")
    return 0

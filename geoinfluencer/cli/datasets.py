"""``geoinfluencer datasets``."""

from __future__ import annotations

import argparse

NAME = "datasets"
HELP = "list the datasets"
DESCRIPTION = "Lists the built-in datasets, their protocol, presets and whether they need files."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace) -> int:
    """Prints one block per dataset."""
    from geoinfluencer.training.resolve import catalog_lines

    for line in catalog_lines():
        print(line)
    return 0

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
    from geoinfluencer.datasets.catalog import CATALOG
    from geoinfluencer.training.configuration.resolve import builtin_layer

    for name, entry in CATALOG.items():
        presets = ", ".join(builtin_layer(name).section("presets").values)
        protocol = getattr(entry.cls, "protocol", "nodes")
        need = "needs --data-root" if entry.needs_root else "needs no files"
        print(f"{name}: {entry.description}")
        print(f"    protocol {protocol}; {need}; presets {presets}")
    print("package.module:Class: your own torch_geometric.data.Dataset")
    return 0

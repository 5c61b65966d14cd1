"""Arguments that several sub-commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def add_dataset(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """``--dataset`` and ``--data-root``."""
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        required=required,
        help="toy-tracks, s3dis ... or package.module:Class for your own (see 'datasets')",
    )
    parser.add_argument("--data-root", metavar="DIR", help="folder of the data")


def add_set(parser: argparse.ArgumentParser, help: str) -> None:
    """``--set key=value``, any number of times and of pairs."""
    parser.add_argument(
        "--set",
        dest="assignments",
        metavar="KEY=VALUE",
        action="extend",
        nargs="+",
        default=[],
        help=help,
    )


def add_accelerator(parser: argparse.ArgumentParser) -> None:
    """``--accelerator``."""
    parser.add_argument(
        "--accelerator",
        choices=("auto", "cpu", "gpu"),
        default="auto",
        help="default: the GPU where there is one",
    )


def folder(text: str) -> str:
    """An argument type: the name of a folder, not empty (which would be the current one)."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name a folder")
    return text


def at_least(kind: Callable[[str], Any], low: float, *, open: bool = False) -> Callable[[str], Any]:
    """An argument type: a number from ``low`` on (``open``: above it)."""

    def parse(text: str) -> Any:
        value = kind(text)
        if not (value > low if open else value >= low):
            raise argparse.ArgumentTypeError(
                f"{text} is not {'above' if open else 'at least'} {low:g}"
            )
        return value

    parse.__name__ = kind.__name__  # argparse names the type in its message
    return parse

"""Entry point: parses the arguments, runs the sub-command, turns errors into one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from geoinfluencer import __version__
from geoinfluencer.cli import (
    baseline,
    bench,
    compare,
    datasets,
    doctor,
    evaluate,
    plot,
    predict,
    prepare,
    train,
    validate,
)
from geoinfluencer.errors import InputError

COMMANDS = (
    train, evaluate, predict, baseline, plot, bench, compare, prepare, validate, doctor, datasets,
)  # fmt: skip

BAD_INPUT = 2


class _Parser(argparse.ArgumentParser):
    """Errors as one line, without the usage that would hide it."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: error: {message} (--help shows the options)\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands."""
    parser = _Parser(prog="geoinfluencer", description="Instance segmentation of graphs.")
    parser.add_argument("--version", action="version", version=f"geoinfluencer {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        command = commands.add_parser(
            module.NAME,
            help=module.HELP,
            description=module.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(command)
        command.add_argument(
            "--debug", action="store_true", help="show the traceback of an error in the input"
        )
        command.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: without the program's name; None: those of the process.

    Returns:
        Exit code: 0, 2 for bad input, 130 or 143 after Ctrl-C or SIGTERM.
    """
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except InputError as error:
        if options.debug:
            raise
        return _fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("geoinfluencer: interrupted", file=sys.stderr)
        return 130


def _fail(message: str) -> int:
    print(f"geoinfluencer: error: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT

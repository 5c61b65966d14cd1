"""``geoinfluencer plot``."""

from __future__ import annotations

import argparse

NAME = "plot"
HELP = "draw the pictures and the report of a run again"
DESCRIPTION = """\
Draws plots/*.png and report.html of a run folder (of train or eval, finished or not) from the
files in it; neither data nor checkpoint are needed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("folder", metavar="RUN", help="folder of a run")


def run(options: argparse.Namespace) -> int:
    """Draws; prints where the report is."""
    from geoinfluencer.training.run_folder import RunFolder
    from geoinfluencer.training.scoring.reporting import draw

    print(f"report: {draw(RunFolder(options.folder))}")
    return 0

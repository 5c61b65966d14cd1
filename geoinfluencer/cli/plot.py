"""``geoinfluencer plot``."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "plot"
HELP = "draw the pictures and the report of a run again, or a page of points"
DESCRIPTION = """\
Draws plots/*.png and report.html of a run folder (of train or eval, finished or not) from the
files in it; neither data nor checkpoint are needed. Of rooms, view-NAME.html too: pages to turn and
zoom, without network.

With a file of points (PLY, NPZ, NPY, CSV, TXT), or a folder that 'predict' wrote such files to:
NAME.html beside each, with its colours, its instances (column instance, and input_instance as the
truth), classes (semantic) and superpoints (superpoint).

example: geoinfluencer plot predicted/room-predicted.ply
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("folder", metavar="RUN|FILE", help="folder of a run, or a file of points")
    parser.add_argument(
        "--columns",
        metavar="ROLE=COLUMN,...",
        help="of a file of points, as of 'predict'; instance and semantic are what is shown as "
        "the prediction",
    )


def run(options: argparse.Namespace) -> int:
    """Draws; prints where the report or the pages are."""
    from geoinfluencer.training.run_folder import RunFolder
    from geoinfluencer.training.scoring.point_pages import plot_points, point_results
    from geoinfluencer.training.scoring.reporting import draw

    found = point_results(Path(options.folder))
    if found or options.columns is not None:
        for path in found or [Path(options.folder)]:
            print(f"page: {plot_points(path, options.columns)}")
        return 0
    print(f"report: {draw(RunFolder(options.folder))}")
    return 0

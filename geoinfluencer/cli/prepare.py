"""``geoinfluencer prepare``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from geoinfluencer.cli.arguments import at_least, folder
from geoinfluencer.errors import InputError

NAME = "prepare"
HELP = "parse a set of rooms once, and see what is missing of it"
DESCRIPTION = """\
Reads all rooms of S3DIS or ScanNet, or scenes of STPLS3D, into compact files that training maps
into memory, repairs the known faults of the originals and says which, and checks that no room is
missing. Of your own scans (points) it reads those whose columns need no naming, and training with
another data.semantic, unit, unlabelled or the like parses them again. Without it a room is read at
its first use. Stopped at any time, the same command goes on.

The files go to geoinfluencer-cache in the data's folder, or to the user's cache where that cannot
be written; --cache-dir names another place, which training is told by data.cache_dir.

example: geoinfluencer prepare --dataset s3dis --data-root Stanford3dDataset_v1.2_Aligned_Version
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        required=True,
        help="s3dis, scannet, stpls3d or points",
    )
    parser.add_argument("--data-root", metavar="DIR", help="folder of the data")
    parser.add_argument("--cache-dir", type=folder, metavar="DIR", help="folder of parsed rooms")
    parser.add_argument(
        "--workers", type=at_least(int, 1), default=1, metavar="N", help="processes (default: 1)"
    )


def run(options: argparse.Namespace) -> int:
    """Prepares; prints a line per room that was read, and a summary."""
    from geoinfluencer.datasets.catalog import CATALOG, resolve_dataset
    from geoinfluencer.datasets.preparation import prepare_rooms
    from geoinfluencer.datasets.room_cache import cache_folder
    from geoinfluencer.datasets.stored_rooms import StoredRooms

    cls = resolve_dataset(options.dataset)
    if not issubclass(cls, StoredRooms):
        known = [name for name, entry in CATALOG.items() if issubclass(entry.cls, StoredRooms)]
        raise InputError(
            f"--dataset {options.dataset}: needs no preparation; {', '.join(known[:-1])} and "
            f"{known[-1]} do"
        )
    if options.data_root is None:
        raise InputError(f"--data-root: is missing; {cls.how_to_get}")
    found = cls.find(options.data_root)
    place = cache_folder(Path(options.data_root), cls.title, options.cache_dir)
    print(f"{options.dataset}, {found.words}: rooms {len(found.sources)}, cache {place}")
    start = time.perf_counter()
    points, size, read = 0, 0, 0
    for room in prepare_rooms(found.sources, place, options.workers):
        points, size, read = points + room.points, size + room.size, read + (room.size > 0)
        for remark in room.remarks:
            print(f"geoinfluencer: {remark}", file=sys.stderr)
        if room.size:
            print(f"  {room.name}: {room.points:,} points, {room.size / 1e6:.1f} MB", flush=True)
    seconds = time.perf_counter() - start
    old = len(found.sources) - read
    rate = f"; {size / 1e6:.1f} MB read in {seconds:.1f} s, {size / 1e6 / seconds:.0f} MB/s"
    print(f"rooms: {read} read, {old} were there; {points:,} points{rate if size else ''}")
    if found.missing:
        print(f"geoinfluencer: {options.data_root}: {found.missing}", file=sys.stderr)
    return 0

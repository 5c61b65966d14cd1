"""All rooms of a set parsed into the cache, one after the other or by several processes."""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from geoinfluencer.datasets.room_cache import RoomSource, cached_room, store_room
from geoinfluencer.errors import InputError


@dataclass(frozen=True)
class Prepared:
    """A room in the cache.

    Attributes:
        name: Of the room.
        points: Number of points.
        size: Bytes of the source files that were read; 0 when the room was there already.
        remarks: What was repaired or left out.
    """

    name: str
    points: int
    size: int
    remarks: tuple[str, ...] = ()


def prepare_room(source: RoomSource, folder: Path) -> Prepared:
    """Read one room into the cache, unless it is there.

    Raises:
        InputError: A file cannot be read, or the cache not be written.
    """
    room = cached_room(source, folder)
    if room is not None:
        return Prepared(source.name, len(room.pos), 0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        room = source.read()
    store_room(source, folder, room)
    remarks = tuple(str(warning.message) for warning in caught)
    return Prepared(source.name, len(room.pos), source.size(), remarks)


def prepare_rooms(
    sources: Sequence[RoomSource], folder: Path, workers: int = 1
) -> Iterator[Prepared]:
    """Read rooms into the cache; yields each when it is done. Rooms that are done stay when the
    process is killed, and the next call goes on with the others.

    Args:
        sources: The rooms.
        folder: Of the cache.
        workers: Processes; several yield in the order in which they finish.
    """
    one = partial(prepare_room, folder=folder)
    if workers <= 1 or len(sources) < 2:
        yield from map(one, sources)
        return
    # forked as torch's loaders are: importing torch anew takes longer than a room
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    count = min(workers, len(sources))
    with ProcessPoolExecutor(count, mp_context=context, initializer=_finish_the_room) as pool:
        waiting = {pool.submit(one, source) for source in sources}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BrokenProcessPool as error:
            raise InputError(
                f"workers: one of {count} processes was ended from outside, for memory perhaps; "
                "go on with fewer of them"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _finish_the_room() -> None:
    """Leaves Ctrl-C to the process that asked for the rooms."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

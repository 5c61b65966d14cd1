"""Prediction and truth files, event by event."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.metrics.node_files import NodeFile, read_nodes


def event_pairs(pred: Path, truth: Path) -> Iterator[tuple[str, NodeFile, NodeFile]]:
    """Yield name, prediction and truth of each event that the prediction has.

    Where the prediction has no ``event_id``, the two files are one event.

    Args:
        pred: Prediction file.
        truth: Truth file, with a column ``event_id`` or its event's number in the name
            (``...N-truth.csv``), or a folder of files of such names.

    Raises:
        InputError: On bad files, and on events that only one side has.
    """
    prediction = read_nodes(pred, "prediction")
    numbers = prediction.table.get("event_id")
    if truth.is_dir():
        if numbers is None:
            raise InputError(f"{pred}: no event_id column, so {truth} must be one truth file")
        files = _truth_files(truth)
        for number in np.unique(numbers).tolist():
            if number not in files:
                raise InputError(f"{truth}: no truth file of event {number}, which {pred} predicts")
            reference = read_nodes(files[number], "truth")
            yield files[number].name, _of_event(prediction, number), reference
        return
    reference = read_nodes(truth, "truth")
    if numbers is None:
        yield truth.name, prediction, reference
        return
    events = np.unique(numbers).tolist()
    if "event_id" in reference.table:
        wanted = np.unique(reference.table["event_id"]).tolist()
        odd = sorted(set(events) ^ set(wanted))
        if odd:
            where = f"{truth} alone" if odd[0] in wanted else f"{pred} alone"
            raise InputError(f"{pred}: event {odd[0]} is in {where}; give both for the same events")
        for number in wanted:
            yield str(number), _of_event(prediction, number), _of_event(reference, number)
        return
    number = _event_number(truth.name)
    if number is None and len(events) > 1:
        raise InputError(
            f"{pred}: {len(events)} events, but {truth.name} does not say which one it is; give "
            "the folder of the truth files, or a truth with an event_id column"
        )
    if number is not None and number not in events:
        raise InputError(
            f"{pred}: event {number} of {truth.name} is not in its event_id column, which has "
            f"{_some(events)}; give the truth of the same event"
        )
    yield truth.name, _of_event(prediction, events[0] if number is None else number), reference


def _some(events: list[int]) -> str:
    return ", ".join(map(str, events[:3])) + (", ..." if len(events) > 3 else "")


def _of_event(file: NodeFile, number: int) -> NodeFile:
    return file.select(np.flatnonzero(file.table["event_id"] == number))


def _truth_files(folder: Path) -> dict[int, Path]:
    files = {}
    for path in sorted(folder.glob("*-truth.csv*"), reverse=True):
        number = _event_number(path.name)
        if number is not None and path.name.endswith((".csv", ".csv.gz")):
            files[number] = path
    return files


def _event_number(name: str) -> int | None:
    match = re.search(r"(\d+)-truth\.csv", name)
    return int(match[1]) if match else None

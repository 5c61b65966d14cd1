"""Rows of a prediction in the order of the truth's rows."""

from __future__ import annotations

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.tables import no_duplicates
from geoinfluencer.metrics.node_files import NodeFile


def join_nodes(prediction: NodeFile, truth: NodeFile) -> NodeFile:
    """Return the prediction in the order of the truth.

    Rows are joined on the ids when both files have them, else by order.

    Raises:
        InputError: On missing, repeated or unknown ids, or unequal lengths; with counts, the first
            offending id and its place.
    """
    if prediction.id_name is None or truth.id_name is None:
        return _join_by_order(prediction, truth)
    wanted, given = truth.table[truth.id_name], prediction.table[prediction.id_name]
    for file, ids in ((truth, wanted), (prediction, given)):
        no_duplicates(file.path, str(file.id_name), ids, place=file.place)
    unknown = np.flatnonzero(~np.isin(given, wanted))
    if len(unknown):
        raise InputError(
            f"{prediction.path}: {prediction.place(int(unknown[0]))}: {prediction.id_name} "
            f"{given[unknown[0]]} is not in {truth.path.name} ({len(unknown)} unknown id(s)); "
            "give the truth of the same event"
        )
    lost = np.flatnonzero(~np.isin(wanted, given))
    if len(lost):
        raise InputError(
            f"{prediction.path}: {len(lost)} of {len(wanted)} nodes of {truth.path.name} are "
            f"missing, first {truth.id_name} {wanted[lost[0]]} ({truth.place(int(lost[0]))} "
            "there); list every node, with a negative label when it is unassigned"
        )
    order = np.argsort(given)
    return prediction.select(order[np.searchsorted(given[order], wanted)])


def _join_by_order(prediction: NodeFile, truth: NodeFile) -> NodeFile:
    rows, expected = len(prediction.labels), len(truth.labels)
    if rows != expected:
        raise InputError(
            f"{prediction.path}: {rows} rows, but {truth.path.name} has {expected}; give both "
            "files a node_id (or hit_id) column, or equally many rows in the same order"
        )
    return prediction

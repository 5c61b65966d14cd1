"""The ``graph`` options of a dataset -> its graph builder."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.graphs.points import PointGraph
from geoinfluencer.graphs.superpoint_graph import SuperpointGraph

Builder = TypeVar("Builder")
_ROOM_NODES: dict[str, type[PointGraph] | type[SuperpointGraph]] = {
    "voxels": PointGraph,
    "superpoints": SuperpointGraph,
}


def build_with_options(cls: type[Builder], options: Mapping[str, Any] | None) -> Builder:
    """Return the graph builder of this class with these options; None = its defaults.

    Raises:
        InputError: On an unknown option, with the nearest known one, and on one out of its range.
    """
    options = dict(options or {})
    known = list(inspect.signature(cls).parameters)
    for name in options:
        if name not in known:
            raise InputError(f"graph: unknown option {name!r}; {suggest(name, known)}")
    try:
        return cls(**options)
    except InputError as error:
        raise InputError(f"graph: {error}") from error


def room_graph(options: Mapping[str, Any] | None) -> PointGraph | SuperpointGraph:
    """Return the graph builder of point clouds: ``nodes`` is ``voxels`` (default) or
    ``superpoints``, the other options are those of its builder.

    Raises:
        InputError: On unknown nodes, an unknown option, and one out of its range.
    """
    options = dict(options or {})
    nodes = options.pop("nodes", "voxels")
    if nodes not in _ROOM_NODES:
        raise InputError(f"graph: nodes {nodes!r} is neither {' nor '.join(_ROOM_NODES)}")
    return build_with_options(_ROOM_NODES[nodes], options)

from __future__ import annotations

import pytest

from geoinfluencer.datasets.graph_options import build_with_options, room_graph
from geoinfluencer.errors import InputError
from geoinfluencer.graphs import ImageGraph, PointGraph, SuperpointGraph, TrackGraph

Builder = type[ImageGraph | PointGraph | TrackGraph]


@pytest.mark.parametrize(
    ("cls", "name", "value", "bad"),
    [
        (ImageGraph, "n_segments", 7, "many"),
        (PointGraph, "voxel", 0.5, None),
        (TrackGraph, "curvature_max", 1e-3, "1e-3"),  # how YAML reads a number without a dot
    ],
)
def test_options_arrive_and_wrong_ones_are_named(
    cls: Builder, name: str, value: object, bad: object
) -> None:
    assert build_with_options(cls, None) == build_with_options(cls, {}) == cls()
    assert getattr(build_with_options(cls, {name: value}), name) == value
    with pytest.raises(InputError, match=f"^graph: {name} must be "):
        build_with_options(cls, {name: bad})
    wrong = name[:-2] + name[-1]
    with pytest.raises(InputError, match=f"graph: unknown option '{wrong}'; did you mean '{name}'"):
        build_with_options(cls, {wrong: value})


def test_rooms_choose_their_nodes() -> None:
    assert room_graph(None) == room_graph({"nodes": "voxels"}) == PointGraph()
    options = {"nodes": "superpoints", "voxel": 0.1}
    assert room_graph(options) == SuperpointGraph(voxel=0.1) and "nodes" in options
    with pytest.raises(InputError, match="nodes 'points' is neither voxels nor superpoints"):
        room_graph({"nodes": "points"})
    with pytest.raises(InputError, match="graph: unknown option 'min_size'"):
        room_graph({"min_size": 10})
    with pytest.raises(InputError, match="graph: superpoints must be a whole number"):
        room_graph({"superpoints": True})

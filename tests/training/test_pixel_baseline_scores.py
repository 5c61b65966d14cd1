"""The pixel-embedding baseline: from pixels and nodes to groups, their settings and scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.shapes import Shapes
from geoinfluencer.datasets.synthetic_charts import SyntheticCharts
from geoinfluencer.errors import InputError
from geoinfluencer.models.pixel_embedder import PixelEmbedder
from geoinfluencer.training.pixel_baseline.calibration import calibrated
from geoinfluencer.training.pixel_baseline.grouping import NodePixels, PixelGrouper
from geoinfluencer.training.pixel_baseline.samples import PixelSamples
from geoinfluencer.training.pixel_baseline.scoring import score_masks, score_nodes

pytest.importorskip("sklearn", reason="needs the extra geoinfluencer[baselines]")
pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")

CPU = torch.device("cpu")
CHARTS: dict[str, Any] = {
    "width_min": 120, "width_max": 140, "height_min": 96, "height_max": 110, "lines_max": 3,
    "mirror": False,
}  # fmt: skip


def test_perfect_masks_score_one() -> None:
    samples = PixelSamples(Shapes(None, "val", height=40, width=48, max_shapes=3))
    images = {samples.image(i).tobytes(): samples.codes(i) - 2 for i in range(len(samples))}

    def perfect(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        label = images[image.tobytes()]
        return label, np.ones(label.max() + 1)

    found = score_masks(samples, perfect)
    assert found["ap"] == pytest.approx(1.0) and found["num_images"] == 50
    nothing = score_masks(samples, lambda image: (np.full(image.shape[:2], -1), np.ones(0)))
    assert nothing["ap"] == 0.0 and nothing["num_objects"] == found["num_objects"]


class PixelNodes(Shapes):
    """The same images as graphs of pixels: those of shapes, and the first row."""

    protocol = "nodes"

    def get(self, idx: int) -> Data:
        """A graph whose nodes are pixels."""
        instance = self.shapes(idx).instance
        ink = instance >= 0
        ink[0] = True
        row, column = np.nonzero(ink)
        owner = torch.from_numpy(instance[row, column]).long()
        return Data(
            pos=torch.from_numpy(np.stack([column, row], axis=1)).float(),
            instance=owner, ignore=torch.zeros(len(owner), dtype=torch.bool),
            weight=torch.ones(len(owner)), image_size=torch.tensor([instance.shape]),
            num_nodes=len(owner), name=f"image-{idx}",
        )  # fmt: skip


def test_graphs_of_pixels_say_which_pixels_are_in_question() -> None:
    dataset = PixelNodes(None, "val", height=40, width=48, max_shapes=3)
    samples = PixelSamples(dataset)
    assert samples.given_pixels
    instance = torch.from_numpy(dataset.shapes(0).instance)[None]
    assert torch.equal(samples[0].instance, instance.long())
    outside = instance < 0
    outside[:, 0] = False
    assert torch.equal(samples[0].ignore, outside)


def test_groups_of_nodes_are_scored_by_the_protocol() -> None:
    dataset = PixelNodes(None, "val", num_images=2, height=40, width=48, max_shapes=3)
    samples = PixelSamples(dataset)
    model = PixelEmbedder(width=2, depth=1).eval()
    model.net.head.weight.data.zero_()
    model.net.head.bias.data.zero_()
    model.net.head.bias.data[-1] = 1.0  # every node belongs to the one object there is
    found = score_nodes(samples, PixelGrouper(model, CPU).nodes)
    assert found["protocol"] == "nodes" and found["num_samples"] == 2
    assert found["ari"] == pytest.approx(0.0, abs=1e-9)


def test_charts_need_no_graph_for_their_pixels() -> None:
    """What is drawn once and never made a graph of is what the graph's nodes are."""
    dataset = SyntheticCharts(split="calib", num_charts=2, **CHARTS)
    samples = PixelSamples(dataset)
    for index in range(2):
        sample, graph = samples[index], dataset[index]
        found = torch.full(tuple(graph.image_size[0].tolist()), -9)
        place = graph.pos.long()
        found[place[:, 1], place[:, 0]] = torch.where(graph.ignore, -9, graph.instance)
        assert torch.equal(sample.ignore[0], found == -9)
        ours, theirs = sample.instance[0][~sample.ignore[0]], found[found > -9]
        pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
        assert len(pairs) == len(ours.unique()) == len(theirs.unique()) > 2  # the same groups
        assert (-1, -1) in pairs
    unknown = SyntheticCharts(split="val", num_charts=1, **CHARTS)
    unknown.image_and_truth = lambda idx: (np.zeros((4, 4, 3), np.uint8), None)  # type: ignore[method-assign]
    with pytest.raises(InputError, match="has no truth"):
        unknown.image_and_codes(0)


def test_settings_of_dbscan_are_those_best_on_calib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines 0.6 apart in the embedding: a radius of 0.5 tells them apart, those above do not, and
    one of 0.25 breaks each, whose pixels lie in two places 0.4 apart."""
    dataset = SyntheticCharts(split="calib", num_charts=2, **CHARTS)
    samples = PixelSamples(dataset)
    graphs = {samples.image(i).tobytes(): dataset[i] for i in range(2)}

    def embedded(self: PixelGrouper, image: np.ndarray, node: Data) -> NodePixels:
        graph = graphs[image.tobytes()]
        half = torch.arange(len(graph.instance)) % 2
        place = 1.0 * graph.instance + 0.4 * half
        return NodePixels(place[:, None].float(), graph.instance >= 0)

    monkeypatch.setattr(PixelGrouper, "node_pixels", embedded)
    start = PixelGrouper(PixelEmbedder(width=2, depth=1).eval(), CPU, radius=9.0)
    grouper, score = calibrated(start, samples)
    assert (grouper.radius, grouper.min_size) == (0.5, 16)
    assert score == pytest.approx(1.0, abs=0.05)
    found = score_nodes(samples, grouper.nodes)
    assert found["ari"] == pytest.approx(1.0) and found["protocol"] == "lines"
    wrong = score_nodes(samples, PixelGrouper(start.model, CPU, radius=1.0).nodes)
    assert wrong["ari"] == pytest.approx(0.0) and wrong["count_error"] >= 1

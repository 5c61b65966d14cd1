from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch_geometric.data import Data

from geoinfluencer.compare.count_scores import METRICS, count_samples, read_count, score_count
from geoinfluencer.datasets import ToyTracks
from geoinfluencer.errors import InputError
from geoinfluencer.models.outputs import Outputs
from geoinfluencer.nn.query_outputs import QueryOutputs
from geoinfluencer.training.configuration.config import CondensationSection, RunConfig
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.run_folder import write_json
from geoinfluencer.training.tasks import make_task


@pytest.fixture(scope="module")
def config() -> RunConfig:
    varied = ["data.num_tracks=3", "data.num_tracks_max=9", "data.num_events=2"]
    return resolve_config("toy-tracks", preset="cpu", assignments=varied)


class Oracle(nn.Module):
    """Queries that stand for the first instances of an event: ``count``, or one for each."""

    def __init__(self, count: int | None) -> None:
        super().__init__()
        self.count = count

    def forward(self, batch: Data) -> Outputs:
        queries = self.count or int(batch.instance.max()) + 1
        logits = torch.full((len(batch.instance), queries), -9.0)
        met = (batch.instance >= 0) & (batch.instance < queries)
        logits[met, batch.instance[met]] = 9.0
        ptr, quality = torch.tensor([0, queries]), torch.full((queries,), 9.0)
        place = torch.zeros(len(batch.instance), 2)
        return Outputs(place, place, queries=QueryOutputs(logits, ptr, quality))


def test_events_have_exactly_so_many_tracks(config: RunConfig) -> None:
    samples = count_samples(config, 12, 30)
    assert len(samples) == 3  # 36 tracks are the least that make 30
    for sample in samples:
        assert int(sample.particle_id.unique().count_nonzero()) == 12
    again = count_samples(config, 12, 60)
    assert torch.equal(again[1].pos, samples[1].pos) and len(again) == 5


@pytest.mark.parametrize("count", [4, 8, 16])
def test_a_fixed_number_of_queries_reaches_its_bound_and_no_more(
    config: RunConfig, count: int
) -> None:
    samples = count_samples(config, count, 2 * count)
    settings = CondensationSection(source="softmax", min_iou=0.0)
    task = make_task(ToyTracks(None, "test", **config.data))  # whose window counts all tracks
    cpu = torch.device("cpu")
    found = {
        queries: score_count(Oracle(queries), samples, task, settings, count=count, device=cpu)
        for queries in (8, None)
    }
    assert found[None]["recall"] == found[None]["bound"] == 1.0
    assert found[None]["queries"] == found[None]["predicted"] == count
    fixed = found[8]
    assert fixed["recall"] == fixed["bound"] == min(1.0, 8 / count)
    assert fixed["queries"] == 8 and fixed["predicted"] == min(8, count)
    assert fixed["fake_rate"] == 0.0 and fixed["events"] == 2
    assert fixed["nodes"] == sum(sample.num_nodes for sample in samples) / 2
    assert {"nodes", *METRICS} == set(fixed)


def test_what_is_stored_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "4.json"
    write_json(path, {"nodes": 3.0, **dict.fromkeys(METRICS, 1.0), "fake_rate": float("nan")})
    assert read_count(path)["fake_rate"] is None
    for text, words in (("{", "not readable JSON"), ('{"nodes": 1}', "lacks ")):
        path.write_text(text)
        with pytest.raises(InputError, match=rf"4\.json: {words}.*delete it and run again"):
            read_count(path)

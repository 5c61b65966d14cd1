from __future__ import annotations

import colorsys
import dataclasses
import inspect
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Dataset
from torch_geometric.loader import DataLoader

from geoinfluencer.datasets.chart_curves import SHAPES, curve
from geoinfluencer.datasets.chart_generator import ChartOptions
from geoinfluencer.datasets.synthetic_charts import SyntheticCharts
from geoinfluencer.errors import InputError
from geoinfluencer.files.polyline_raster import distance_map, segment_samples, segments_of
from geoinfluencer.graphs.sample import validate_sample

SMALL = {"width_max": 260, "height_max": 200, "lines_max": 4}


def charts(split: str = "val", **options: object) -> SyntheticCharts:
    return SyntheticCharts(split=split, **{"num_charts": 4, **SMALL, **options})


def test_sample_fields_and_truth_of_pixels() -> None:
    dataset = charts()
    assert isinstance(dataset, Dataset) and len(dataset) == 4 and dataset.has_truth
    assert dataset.protocol == "lines"
    for i, data in enumerate(dataset):
        validate_sample(data)
        chart = dataset.chart(i)
        assert data.name == f"chart-val-{i:06d}"
        assert data.image_size.tolist() == [list(chart.code.shape)]
        x, y = data.pos.long().T.numpy()
        code = chart.code[y, x]
        assert (data.instance.numpy() == np.where(code >= 2, code - 2, -1)).all()
        assert (data.ignore.numpy() == (code == 1)).all()
        lines = int(data.line_of.max()) + 1
        assert data.instance.unique().tolist() == list(range(-1, lines))
        assert (data.line_of.diff() >= 0).all() and data.line_of.unique().numel() == lines
        assert data.line_xy.shape == (len(data.line_of), 2) and data.line_xy.dtype == torch.float32
        assert torch.equal(data.line_xy, torch.from_numpy(chart.line_xy))
        # nearly all that is drawn of a line is a node
        node = data.segment_map.reshape(chart.code.shape).numpy() >= 0
        drawn = chart.code >= 2
        assert (node & drawn).sum() > 0.6 * drawn.sum()


def test_pixels_of_a_line_lie_at_its_points_and_overlaps_at_two_lines() -> None:
    dataset = charts(markers=0.0, thickness_min=2.0, thickness_max=2.0, lines_min=3)
    overlaps = 0
    for i in range(len(dataset)):
        chart = dataset.chart(i)
        reach = 2.0 / 2 + 0.5
        near = []
        for k in range(int(chart.line_of.max()) + 1):
            points = segment_samples(segments_of(chart.line_xy[chart.line_of == k].astype(float)))
            distance = distance_map(points[0], chart.code.shape, reach)
            assert np.isfinite(distance[chart.code == 2 + k]).all()
            near.append(np.isfinite(distance))
        assert (np.sum(near, axis=0)[chart.code == 1] >= 2).all()
        overlaps += int((chart.code == 1).sum())
    assert overlaps > 20


def test_axes_text_and_legend_are_no_lines() -> None:
    chart = charts(legend=1.0, grid=1.0, lines_min=3, num_charts=1).chart(0)
    width = chart.code.shape[1]
    ink = np.abs(chart.image.astype(int) - chart.image[0, 0].astype(int)).max(axis=2) > 60
    left, right = chart.line_xy[:, 0].min(), chart.line_xy[:, 0].max()
    margin = np.arange(width) < left - 4
    assert ink[:, margin].sum() > 50 and (chart.code[:, margin] == 0).all()
    beside = np.arange(width) > right + 4
    assert (chart.code[:, beside] == 0).all()


def test_colours() -> None:
    grey = charts(grey=1.0, lines_min=3)
    assert (grey.image(0) == grey.image(0)[..., :1]).all()
    dark, light = charts(dark=1.0).image(0), charts(dark=0.0).image(0)
    assert np.median(dark) < 60 < 190 < np.median(light)
    noisy = charts(noise=0.05, grid=0.0).image(1).astype(float)
    assert 2 < noisy[-3:, :40].std() < 20  # no ink in that corner


def test_separate_bands_do_not_cross() -> None:
    dataset = charts(crossing=0.0, markers=0.0, legend=0.0)
    for i in range(len(dataset)):
        chart = dataset.chart(i)
        ends = [chart.line_xy[chart.line_of == k, 1] for k in range(chart.line_of.max() + 1)]
        for below, above in itertools.pairwise(ends):  # y runs downwards
            assert above.max() < below.min()


@pytest.mark.parametrize("shape", SHAPES)
def test_curves_run_from_left_to_right_and_fill_their_range(shape: str) -> None:
    for seed in range(20):
        for few in (False, True):
            points = curve(np.random.default_rng(seed), shape, few=few)
            assert points[0, 0] == 0 and points[-1, 0] == 1 and (np.diff(points[:, 0]) >= 0).all()
            assert points[:, 1].min() == 0 and points[:, 1].max() == pytest.approx(1)


def test_charts_depend_on_seed_split_and_number_alone() -> None:
    def image(split: str, i: int, **options: object) -> np.ndarray:
        return charts(split, num_charts=5, **options).image(i)

    base = image("train", 3)
    dataset = charts("train", num_charts=9)
    dataset.chart(7)
    np.testing.assert_array_equal(base, dataset.image(3))
    others = [image(s, 3) for s in ("calib", "val", "test")]
    for other in [*others, image("train", 3, seed=1), image("train", 2)]:
        assert other.shape != base.shape or not np.array_equal(other, base)
    assert [d.name for d in charts("all", num_charts=None, val_charts=1, test_charts=1)] == [
        "chart-val-000000", "chart-test-000000",
    ]  # fmt: skip


def test_workers_see_the_same_charts_and_batches_keep_every_field() -> None:
    dataset = charts()
    (batch,) = DataLoader(dataset, batch_size=4, num_workers=1)
    for sample, kept in zip(batch.to_data_list(), dataset, strict=True):
        for name in ("x", "edge_index", "edge_attr", "instance", "segment_map", "line_xy",
                     "line_of", "image_size"):  # fmt: skip
            assert torch.equal(sample[name], kept[name]), name


def test_training_samples_are_mirrored_and_repeat_under_a_seed() -> None:
    dataset = charts("train")
    torch.manual_seed(5)
    first = [dataset[0].pos for _ in range(20)]
    torch.manual_seed(5)
    assert all(torch.equal(a, dataset[0].pos) for a in first)
    assert len({tuple(pos[0].tolist()) for pos in first}) == 4
    assert "segment_map" not in dataset[0]
    still = charts("train", mirror=False)
    assert torch.equal(still[0].pos, still[0].pos)


def test_charts_are_kept_in_a_folder(tmp_path: Path) -> None:
    made = charts(root=tmp_path).chart(1)
    (file,) = tmp_path.rglob("*.npz")
    stamp = file.stat().st_mtime_ns
    again = charts(root=tmp_path).chart(1)
    for name, value in vars(made).items():
        np.testing.assert_array_equal(value, getattr(again, name))
    assert file.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width_min": 50}, "width_min=50, width_max=260: they must be at least 96"),
        ({"lines_min": 5}, "lines_min=5, lines_max=4"),
        ({"lines_max": 13}, "lines_max is 13; palettes have 12 colours"),
        ({"grey": 1.5}, "grey must be in 0 to 1"),
        ({"noise": -1.0}, "noise must be"),
        ({"graph": {"ring": [3]}}, "unknown option 'ring'; did you mean 'rings'"),
        ({"train_charts": 0}, "charts of the splits"),
    ],
)
def test_bad_options(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        charts(**options)


def test_options_reach_the_generator() -> None:
    named = inspect.signature(SyntheticCharts).parameters
    for field in dataclasses.fields(ChartOptions):
        assert named[field.name].default == field.default, field.name
    # all different from each other and from the defaults
    options = {
        "width_min": 201, "width_max": 302, "height_min": 103, "height_max": 204, "lines_min": 3,
        "lines_max": 7, "thickness_min": 1.2, "thickness_max": 2.2, "crossing": 0.81,
        "dashes": 0.32, "markers": 0.43, "similar": 0.54, "grey": 0.25, "grid": 0.66,
        "legend": 0.77, "dark": 0.38, "noise": 0.09,
    }  # fmt: skip
    assert len(set(options.values())) == len(dataclasses.fields(ChartOptions))
    assert dataclasses.asdict(SyntheticCharts(num_charts=1, **options).options) == options


def test_dashes_leave_gaps_along_the_line() -> None:
    share = []
    for dashes in (0.0, 1.0):
        plain = {"markers": 0.0, "grid": 0.0, "legend": 0.0, "lines_min": 1, "lines_max": 1}
        dataset = charts(dashes=dashes, **plain)
        inked = [dataset.chart(i) for i in range(len(dataset))]
        on = []
        for chart in inked:
            segments = segments_of(chart.line_xy.astype(float))
            points = segment_samples(segments)[0]
            distance = distance_map(points, chart.code.shape, 0.6)
            on.append((chart.code[np.isfinite(distance)] == 2).mean())
        share.append(np.mean(on))
    assert share[0] > 0.95 and 0.3 < share[1] < 0.85


def test_similar_lines_have_one_hue() -> None:
    def spread(similar: float) -> float:
        dataset = charts(similar=similar, grey=0.0, lines_min=4, markers=0.0, num_charts=6)
        found = []
        for i in range(len(dataset)):
            chart = dataset.chart(i)
            hues = []
            for k in range(4):
                rgb = chart.image[chart.code == 2 + k].astype(float) / 255
                strongest = rgb[np.argmax(np.ptp(rgb, axis=1))]
                hues.append(colorsys.rgb_to_hsv(*strongest)[0])
            hue = np.exp(2j * np.pi * np.array(hues))
            found.append(1 - abs(hue.mean()))  # circular variance
        return float(np.mean(found))

    assert spread(1.0) < 0.05 < 0.3 < spread(0.0)

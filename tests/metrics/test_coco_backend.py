"""faster-coco-eval beside pycocotools: the same numbers."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import CocoMetrics, score_files
from geoinfluencer.metrics.coco_results import read_coco_results
from geoinfluencer.metrics.coco_truth import CocoTruth, read_coco_truth

pytest.importorskip("pycocotools.mask", reason="needs the extra geoinfluencer[images]")


@pytest.fixture
def golden(test_data: Path) -> tuple[Path, Path]:
    """Results and truth."""
    folder = test_data / "cocoeval"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return (
        folder / "instances_val2014_fakesegm100_results.json",
        folder / "instances_val2014_100.json",
    )


@pytest.mark.real_data
def test_both_give_the_same_numbers(golden: tuple[Path, Path]) -> None:
    pytest.importorskip("faster_coco_eval", reason="needs the extra geoinfluencer[fast-coco]")
    ours, fast = (
        score_files(*golden, "coco", backend=name).compute()
        for name in ("pycocotools", "faster-coco-eval")
    )
    assert round(fast["ap"], 3) == 0.320
    assert fast == pytest.approx(ours, abs=1e-12)
    entries, truth = read_coco_results(golden[0]), read_coco_truth(golden[1])
    for options in ({"class_agnostic": True}, {"max_dets": 7}):
        both = []
        for name in ("pycocotools", "faster-coco-eval"):
            metric = CocoMetrics(backend=name, **options)  # type: ignore[arg-type]
            metric.update(entries, truth)
            both.append(metric.compute())
        assert both[1] == pytest.approx(both[0], abs=1e-12), options


def test_what_it_cannot_do() -> None:
    with pytest.raises(InputError, match="faster-coco-eval: has no boundary AP"):
        CocoMetrics(backend="faster-coco-eval", boundary=True)
    with pytest.raises(InputError, match="did you mean 'faster-coco-eval'"):
        CocoMetrics(backend="faster-coco")


def test_without_it_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.startswith("faster_coco_eval"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    metric = CocoMetrics(backend="faster-coco-eval")
    with pytest.raises(InputError, match=r"pip install 'geoinfluencer\[fast-coco\]'"):
        metric.update([], CocoTruth("truth", {1: (4, 4)}, (1,), ()))

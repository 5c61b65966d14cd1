"""The seam between training and one kind of data."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.datasets.catalog import is_generated
from geoinfluencer.errors import InputError
from geoinfluencer.plots.figures import Figure
from geoinfluencer.training.data import attribute
from geoinfluencer.training.scoring.inference import SampleResult


class Task(ABC):
    """Scores, output files and pictures of one protocol.

    Args:
        samples: the dataset; its attributes hold what the protocol's metric depends on.

    Attributes:
        protocol: its name, as after ``--protocol``.
        default_metric: what ``best.ckpt`` is chosen by where the dataset has no
            ``primary_metric``; larger is better.
    """

    protocol: ClassVar[str]
    default_metric: ClassVar[str]

    def __init__(self, samples: object) -> None:
        self.primary_metric: str = attribute(samples, "primary_metric", self.default_metric)

    @abstractmethod
    def new_metric(self) -> Any:
        """A fresh accumulator of the protocol."""

    @abstractmethod
    def update(self, metric: Any, sample: Data, found: Instances) -> None:
        """Adds one sample and the instances predicted for it (one graph, on the CPU)."""

    def class_agnostic(self, sample: Data, found: Instances) -> bool:
        """Whether the scores of this sample take no notice of classes."""
        return True

    @abstractmethod
    def calibration_score(self, metrics: Mapping[str, Any]) -> float:
        """What the threshold maximises on ``calib``; NaN = no opinion."""

    def window(self) -> dict[str, Any]:
        """What the metrics were restricted to, for ``metrics.json``."""
        return {}

    def window_words(self, metrics: Mapping[str, Any]) -> str:
        """The window that ``metrics.json`` holds in words, empty where there is none."""
        return ""

    @abstractmethod
    def record(self, result: SampleResult) -> Any:
        """What :meth:`write_predictions` needs of a sample, without its embeddings."""

    @abstractmethod
    def write_predictions(self, records: Sequence[Any], folder: Path) -> list[Path]:
        """Writes what was predicted in the form that ``eval --pred`` takes; returns the files."""

    def write_pictures(
        self, records: Sequence[Any], folder: Path, most: int | None = None
    ) -> list[Path]:
        """Draws what was predicted for the first ``most`` samples (None: for all) into a folder
        below, which is returned; protocols without such pictures draw nothing."""
        return []

    def metrics_of(self, records: Sequence[Any]) -> dict[str, Any]:
        """Further metrics of an evaluation, made from its records against files of the dataset."""
        return {}

    def warnings(self, metrics: Mapping[str, Any]) -> list[str]:
        """What a reader of ``metrics.json`` should know about these scores, one line each."""
        return []

    def table(self, metrics: Mapping[str, Any]) -> list[str]:
        """Further scores as lines of text, to be printed below those with a definition."""
        return []

    def open_input(self, path: Path, cls: type, options: Mapping[str, Any]) -> Dataset[Data]:
        """The samples in one INPUT of ``predict``; truth is neither needed nor looked at.

        Args:
            path: a file or folder.
            cls: dataset class of the checkpoint.
            options: its options in the checkpoint.

        Raises:
            InputError: the class generates its samples, and names no ``file_reader``, a class that
                builds the same kind of samples from files.
        """
        reader = getattr(cls, "file_reader", None)
        if reader is not None:
            shared = {name: options[name] for name in ("graph", "pixels") if name in options}
            read: Dataset[Data] = reader(str(path), split="all", **shared)
            return read
        if is_generated(cls):
            raise InputError(
                f"{path}: the checkpoint's dataset {cls.__name__} generates its samples and reads "
                "no files; score unseen ones with eval --split test, or predict with a "
                "checkpoint trained on files"
            )
        samples: Dataset[Data] = cls(str(path), split="all", **options)
        return samples

    @abstractmethod
    def display_arrays(self, result: SampleResult) -> dict[str, np.ndarray]:
        """What the pictures of one sample need: kept in the run folder, so that they can be drawn
        again without data or model. ``follower``, ``influencer`` (N, D), ``predicted`` (N,),
        ``representative`` (K,) and, where known, ``truth`` (N,) are drawn for every protocol."""

    @abstractmethod
    def sample_figures(self, arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
        """Pictures of one sample: truth, prediction, errors."""

    def curve_rows(self, metric: Any) -> list[dict[str, Any]]:
        """Binned curves of an accumulated metric, as rows of a table."""
        return []

    def curve_figures(self, rows: Sequence[Mapping[str, Any]], note: str) -> list[Figure]:
        """Pictures of :meth:`curve_rows`; ``note`` says what the window was."""
        return []

    def definitions(self) -> dict[str, str]:
        """Metric name -> its definition in one sentence, for the report."""
        return {}

    def common_arrays(self, result: SampleResult) -> dict[str, np.ndarray]:
        """The part of :meth:`display_arrays` that all protocols share."""
        assert result.instances is not None
        arrays = {
            "pos": result.sample.pos.numpy(),
            "follower": result.follower.cpu().numpy(),
            "influencer": result.influencer.cpu().numpy(),
            "predicted": result.instances.instance.numpy(),
            "representative": result.instances.influencer.numpy(),
        }
        truth, ignore = result.sample.get("instance"), result.sample.get("ignore")
        if truth is not None and (ignore is None or not bool(ignore.all())):
            arrays["truth"] = truth.numpy()
            if ignore is not None:
                arrays["ignore"] = ignore.numpy()
        return arrays

    def score(self, pairs: Iterable[tuple[Data, Instances]]) -> dict[str, Any]:
        """Metrics over (sample, predicted instances) pairs."""
        metric = self.new_metric()
        for sample, found in pairs:
            self.update(metric, sample, found)
        computed: dict[str, Any] = metric.compute()
        return computed

    def merit(self, metrics: Mapping[str, Any]) -> float:
        """The primary metric, -inf where there is none."""
        value = float(metrics.get(self.primary_metric, math.nan))
        return -math.inf if math.isnan(value) else value

"""TrackML events as a PyG dataset: whole events or sectors, split by event or by phi wedge."""

from __future__ import annotations

import functools
import math
import os
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch_geometric.data import Data, Dataset

from geoinfluencer.datasets.graph_options import build_with_options
from geoinfluencer.datasets.sample_cache import SampleCache, access_rng
from geoinfluencer.datasets.track_sample import (
    TrackHits,
    Window,
    track_sample,
)
from geoinfluencer.datasets.trackml_cache import load_event
from geoinfluencer.datasets.trackml_cells import CELL_FEATURES, DIRECTION_FEATURES
from geoinfluencer.datasets.trackml_io import EventFiles, TrackMLEvent, find_events
from geoinfluencer.datasets.trackml_splits import (
    Piece,
    in_sector,
    in_share,
    phi_share,
    split_pieces,
)
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.crop import crop_nodes
from geoinfluencer.graphs.track_augment import augmented_tracks
from geoinfluencer.graphs.tracks import TrackGraph

Split = Literal["train", "calib", "val", "test", "all"]

_LAYER_STRIDE = 1000  # surface code = volume * stride + layer, before it is made compact
_KEPT_EVENTS = 16  # events held in memory: 4 MB parsed, 20-60 MB as a graph, for a pixel event


class TrackML(Dataset):
    r"""Events of the `TrackML <https://www.kaggle.com/c/trackml-particle-identification>`_ format.

    The folder holds ``NAME-hits.csv[.gz]`` and, where known, ``-truth``, ``-particles`` and
    ``-cells`` files of each event, directly or one level below, and perhaps ``detectors.csv``.
    Hits alone are enough for ``split="all"`` (prediction).

    **Splits.** Events sorted by name:

    * 1 event: a phi wedge with ``heldout_fraction`` of the hits, from phi = -pi (or from where the
      event begins, when it covers a part of the circle), is ``val``, the next one is ``calib``;
      both are cut out of ``train``.
    * 2 events or more: the last tenth (at least one) is ``val``; from 10 on the tenth before it is
      ``test``; from 20 on a twentieth before that is ``calib``. With fewer, ``calib`` is a phi
      wedge of every training event, cut out of ``train``.
    * ``train_events`` ... name them instead. Events that are not named train, or, when the
      training events are named and ``val_events`` are not, validate.
    * ``test`` without such events is an error; ``all`` is every event whole.

    A particle that crosses the edge of a wedge is truncated on both sides, and its hits are
    counted per sample. ``calib`` is what the condensation radius is chosen on.

    **Window.** ``pt_min``, ``eta_max``, ``min_hits`` never remove hits. They set ``weight`` (1
    inside and for noise, ``outside_weight`` elsewhere) and are the window of the metrics
    (:attr:`window`).

    **Sectors.** ``wedges`` > 1 trains on sectors of 2 pi / ``wedges`` with a random start at each
    access, cut from the event's graph, which is built once (the last 16 are kept). Evaluation
    takes whole events, unless ``eval_wedges`` > 1 asks for fixed sectors of equally many hits to
    save memory: then a sample is named ``event/sector``, and a score over such samples is not the
    score of whole events, because tracks that cross an edge are cut.

    Args:
        root: Folder with the events, or one hits file.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"`` or ``"all"``.
        train_events: Names of the training events.
        calib_events: Names of the events for calibration.
        val_events: Names of the validation events.
        test_events: Names of the test events.
        heldout_fraction: Hits in a held-out phi wedge as a share of the event's.
        wedges: Number of sectors for training; 1 = whole events.
        steps_per_event: Training samples per event and epoch; ``None`` = ``wedges``.
        eval_wedges: Number of sectors for the other splits; 1 = whole events.
        volumes: Detector volumes that are kept; ``None`` = all.
        layers: Layers that are kept, as ``"volume:layer"``; ``None`` = all.
        pt_min: Window, transverse momentum in GeV.
        eta_max: Window, absolute pseudorapidity.
        min_hits: Window, hits per particle counted from the truth.
        outside_weight: Loss weight of the particles outside the window.
        rotate: Turn training samples about z by a random angle.
        mirror_z: Reverse z of training samples with probability 1/2.
        mirror_phi: Reverse y of training samples with probability 1/2.
        cells: ``"auto"`` takes cluster features when every event of the split has cells,
            ``"on"`` demands them, ``"off"`` leaves them.
        truth: Whether to read truth and particles at all.
        cache: Whether to keep parsed events on disk (see :func:`.trackml_cache.load_event`).
        keep: Number of built samples kept in memory for the splits other than ``train``.
        graph: Options of :class:`~geoinfluencer.graphs.tracks.TrackGraph`.

    Raises:
        InputError: On bad files or options; names the file, the line and the remedy.
    """

    protocol: ClassVar[str] = "trackml"
    primary_metric: ClassVar[str] = "dm_efficiency"

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: Split = "train",
        *,
        train_events: list[str] | None = None,
        calib_events: list[str] | None = None,
        val_events: list[str] | None = None,
        test_events: list[str] | None = None,
        heldout_fraction: float = 0.1,
        wedges: int = 1,
        steps_per_event: int | None = None,
        eval_wedges: int = 1,
        volumes: list[int] | None = None,
        layers: list[str] | None = None,
        pt_min: float = 0.9,
        eta_max: float = 4.0,
        min_hits: int = 3,
        outside_weight: float = 0.1,
        rotate: bool = True,
        mirror_z: bool = True,
        mirror_phi: bool = True,
        cells: Literal["auto", "on", "off"] = "auto",
        truth: bool = True,
        cache: bool = True,
        keep: int = 2,
        graph: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(None)
        self.root = str(root)
        if not 0 < heldout_fraction < 0.5:
            raise InputError(f"heldout_fraction must be between 0 and 0.5, got {heldout_fraction}")
        for option, value in (("wedges", wedges), ("eval_wedges", eval_wedges)):
            if value < 1:
                raise InputError(f"{option} must be at least 1, got {value}")
        if steps_per_event is not None and steps_per_event < 1:
            raise InputError(f"steps_per_event must be at least 1, got {steps_per_event}")
        if not outside_weight >= 0:
            raise InputError(f"outside_weight must not be negative, got {outside_weight}")
        self.split = split
        self.window = Window(pt_min, eta_max, min_hits)
        files = {event.name: event for event in find_events(root)}
        self.pieces = split_pieces(
            list(files),
            split,
            train_events=train_events,
            val_events=val_events,
            calib_events=calib_events,
            test_events=test_events,
            heldout_fraction=heldout_fraction,
            where=self.root,
        )
        self._files = {piece.event: files[piece.event] for piece in self.pieces}
        self.has_truth = truth and all(f.truth is not None for f in self._files.values())
        if split != "all" and not self.has_truth:
            self._complain_of_truth(truth)
        self.has_cells = _use_cells(cells, list(self._files.values()))
        self._read_truth = truth
        self._cache = cache
        self._training = split == "train"
        self._eval_sectors = eval_wedges
        self._sectors = wedges if self._training else eval_wedges
        self._repeats = (steps_per_event or wedges) if self._training else eval_wedges
        self._volumes = volumes
        self._layers = None if layers is None else [_layer_code(text) for text in layers]
        self._outside_weight = outside_weight
        self._augment = (rotate, mirror_z, mirror_phi)
        self._builder = build_with_options(TrackGraph, graph)
        self._kept = SampleCache(keep)
        self._graphs = SampleCache(_KEPT_EVENTS)
        self._load = functools.lru_cache(maxsize=_KEPT_EVENTS)(self._load_event)

    def len(self) -> int:
        """Number of samples."""
        return len(self.pieces) * self._repeats

    def get(self, idx: int) -> Data:
        """Build sample ``idx``; training samples are drawn anew at every access."""
        piece, step = self.pieces[idx // self._repeats], idx % self._repeats
        if self._training:
            return self._training_sample(piece)
        return self._kept.get(idx, lambda: self._build(self._fixed_hits(piece, step)))

    def use_for_scoring(self) -> None:
        """From now on training samples too come as they are, not as random sectors, turned."""
        self._training = False
        self._sectors = self._repeats = self._eval_sectors

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns from cells and detectors that follow the builder's own."""
        if not self.has_cells:
            return ()
        has_detectors = next(iter(self._files.values())).detectors is not None
        return CELL_FEATURES + (DIRECTION_FEATURES if has_detectors else ())

    @property
    def event_names(self) -> list[str]:
        """Names of the events of this split."""
        return list(self._files)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({Path(self.root).name!r}, {self.split!r}, {len(self)})"

    def __getstate__(self) -> dict[str, Any]:
        # Workers and copies start with an empty memory of parsed events.
        return {name: value for name, value in self.__dict__.items() if name != "_load"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._load = functools.lru_cache(maxsize=_KEPT_EVENTS)(self._load_event)

    def _build(self, hits: TrackHits) -> Data:
        return track_sample(hits, self._builder, self.window, self._outside_weight)

    def _fixed_hits(self, piece: Piece, step: int) -> TrackHits:
        event = self._load(piece.event)
        phi = np.arctan2(event.pos[:, 1], event.pos[:, 0])
        mask = piece.mask(phi_share(phi))
        name = piece.event
        if self._sectors > 1 and not self._training:
            part = np.zeros(len(phi))
            part[mask] = phi_share(phi[mask])
            mask &= in_share(part, (step / self._sectors, (step + 1) / self._sectors))
            name = f"{piece.event}/{step}"
        return self._select(event, mask, name)

    def _training_sample(self, piece: Piece) -> Data:
        """A random sector of the piece's graph under a random symmetry."""
        whole = self._graphs.get(piece.event, lambda: self._build(self._fixed_hits(piece, 0)))
        rng = access_rng()
        if self._sectors > 1 and whole.num_nodes:
            # The sector is laid around a random hit of the piece, so it is never empty.
            phi = torch.atan2(whole.pos[:, 1], whole.pos[:, 0]).double().numpy()
            width = 2 * math.pi / self._sectors
            start = phi[rng.integers(len(phi))] - width * rng.random()
            whole = crop_nodes(whole, torch.from_numpy(in_sector(phi, start, width)))
        rotate, mirror_z, mirror_phi = self._augment
        return augmented_tracks(whole, rng, rotate=rotate, mirror_z=mirror_z, mirror_phi=mirror_phi)

    def _load_event(self, name: str) -> TrackMLEvent:
        event = load_event(
            self._files[name], truth=self._read_truth, cells=self.has_cells, cache=self._cache
        )
        mask = np.ones(len(event.hit_id), dtype=bool)
        if self._volumes is not None:
            mask &= np.isin(event.volume_id, self._volumes)
        if self._layers is not None:
            mask &= np.isin(event.volume_id * _LAYER_STRIDE + event.layer_id, self._layers)
        if not mask.any():
            raise InputError(
                f"{self._files[name].hits}: no hit passes volumes={self._volumes}, "
                f"layers given={self._layers is not None}; the file has volumes "
                f"{np.unique(event.volume_id).tolist()}"
            )
        if mask.all():
            return event
        return event.select(mask)

    def _select(self, event: TrackMLEvent, mask: np.ndarray, name: str) -> TrackHits:
        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[mask]

        code = event.volume_id * _LAYER_STRIDE + event.layer_id
        surface = np.unique(code, return_inverse=True)[1].reshape(-1)
        return TrackHits(
            name=name,
            pos=event.pos[mask],
            surface=surface[mask],
            node_id=event.hit_id[mask],
            particle_id=part(event.particle_id),
            pt=part(event.pt),
            eta=part(event.eta),
            hit_weight=part(event.weight),
            features=part(event.features),
        )

    def _complain_of_truth(self, truth: bool) -> None:
        if not truth:
            raise InputError(f"split {self.split!r} needs the truth; set truth=true")
        lost = next(f for f in self._files.values() if f.truth is None)
        raise InputError(
            f"{lost.hits.parent}: event {lost.name} has no {lost.name}-truth.csv[.gz], which split "
            f"{self.split!r} needs; hits alone can only be predicted (split 'all')"
        )


def _use_cells(cells: str, files: list[EventFiles]) -> bool:
    without = [event for event in files if event.cells is None]
    if cells == "on" and without:
        event = without[0]
        raise InputError(
            f"{event.hits.parent}: cells='on' but {event.name}-cells.csv[.gz] is not there; add it "
            "or set cells='off'"
        )
    if cells not in ("auto", "on", "off"):
        raise InputError(f"cells must be 'auto', 'on' or 'off', got {cells!r}")
    return cells != "off" and not without


def _layer_code(text: str) -> int:
    volume, _, layer = str(text).partition(":")
    if not (volume.isdigit() and layer.isdigit()):
        raise InputError(f"layers: {text!r} is not of the form 'volume:layer', for example '8:2'")
    return int(volume) * _LAYER_STRIDE + int(layer)

"""Toy track events as a PyG dataset, generated on the fly."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Literal

import numpy as np
from torch_geometric.data import Data, Dataset

from geoinfluencer.datasets.generated import kept_on_disk, members, stream
from geoinfluencer.datasets.graph_options import build_with_options
from geoinfluencer.datasets.sample_cache import SampleCache, access_rng
from geoinfluencer.datasets.toy_detector import ToyDetector
from geoinfluencer.datasets.toy_generator import ToyEvent, generate_event
from geoinfluencer.datasets.toy_physics import ToyPhysics
from geoinfluencer.datasets.track_sample import (
    TrackHits,
    Window,
    track_sample,
)
from geoinfluencer.graphs.track_augment import augmented_tracks
from geoinfluencer.graphs.tracks import TrackGraph

_VERSION = 1  # raise when a seed no longer gives the same event


class ToyTracks(Dataset):
    r"""Seeded toy events: circles in a solenoid through ten layers (2-D), or helices (3-D).

    The defaults are the standard 2-D setting, in which figures compare: 10 layers evenly from
    r = 0.1 m to 1 m, 2 T, pT log-uniform from 0.5 to 10 GeV, both charges, own vertex for every
    particle with sigma 1 mm in x and y, r-phi resolution 0.5 mm, 5 % holes, noise 10 % of all
    hits uniform in phi on random layers, hits in random order.

    ``pos`` is in **millimetres**. Event ``i`` of a split depends on ``seed``, the split, ``i`` and
    the options alone, whatever the order or the number of workers; the splits are disjoint random
    streams. Nothing is stored unless ``root`` is given: then the events of every split but
    ``train`` are kept there.

    Args:
        root: Folder for generated events; ``None`` = generate at every access.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"``, or ``"all"`` = val, then test: the
            unseen events.
        num_events: Number of events of this split; ``None`` = the split's own number below.
        train_events: Number of training events (an epoch).
        calib_events: Number of events for calibration.
        val_events: Number of validation events.
        test_events: Number of test events.
        seed: Seed of all splits.
        num_tracks: Particles per event.
        num_tracks_max: When given, the number is uniform from ``num_tracks`` to this.
        dim: 2 or 3.
        num_layers: Barrel layers.
        r_min: Radius of the innermost layer in mm.
        r_max: Radius of the outermost layer in mm.
        half_length: Half length of the barrel in mm (3-D).
        num_discs: End-cap discs on each side (3-D).
        disc_z_min: Distance of the first disc from the centre in mm (3-D).
        disc_z_max: Distance of the last disc in mm (3-D).
        field: Solenoid field in tesla.
        pt_low: Least transverse momentum in GeV.
        pt_high: Largest transverse momentum in GeV.
        pt_spectrum: ``"log-uniform"``, ``"uniform"`` or ``"power"``.
        pt_power: Exponent n of the power law pT^-n.
        eta_range: Pseudorapidity is uniform within +- this (3-D).
        vertex_sigma: Spread of the vertices in x and y in mm.
        vertex_sigma_z: Spread of the vertices in z in mm (3-D).
        num_vertices: Primary vertices shared by the particles; 0 = one for each particle.
        displaced_fraction: Share of particles from displaced vertices.
        displaced_length: Their mean transverse flight distance in mm.
        smear_rphi: Resolution along r-phi in mm.
        smear_z: Resolution along z (barrel) or r (discs) in mm (3-D).
        hole_fraction: Probability that a crossing leaves no hit.
        noise_fraction: Share of noise among all hits.
        material: Radiation lengths per layer for multiple scattering; 0 = none.
        pt_min: Window, transverse momentum in GeV (0: every toy particle counts).
        eta_max: Window, absolute pseudorapidity.
        min_hits: Window, hits per particle counted from the truth.
        outside_weight: Loss weight of the particles outside the window.
        rotate: Turn training samples about z by a random angle.
        mirror_z: Reverse z of training samples with probability 1/2.
        mirror_phi: Reverse y of training samples with probability 1/2.
        keep: Number of built samples kept in memory (30 kB for 100 hits); those beyond are built
            at every access, so that a set need not fit in memory.
        graph: Options of :class:`~geoinfluencer.graphs.tracks.TrackGraph`.

    Raises:
        InputError: On options that make no sense.
    """

    protocol: ClassVar[str] = "trackml"
    primary_metric: ClassVar[str] = "dm_efficiency"

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        num_events: int | None = None,
        train_events: int = 2000,
        calib_events: int = 50,
        val_events: int = 200,
        test_events: int = 200,
        seed: int = 0,
        num_tracks: int = 10,
        num_tracks_max: int | None = None,
        dim: int = 2,
        num_layers: int = 10,
        r_min: float = 100.0,
        r_max: float = 1000.0,
        half_length: float = 1200.0,
        num_discs: int = 7,
        disc_z_min: float = 1300.0,
        disc_z_max: float = 3000.0,
        field: float = 2.0,
        pt_low: float = 0.5,
        pt_high: float = 10.0,
        pt_spectrum: Literal["log-uniform", "uniform", "power"] = "log-uniform",
        pt_power: float = 3.0,
        eta_range: float = 3.0,
        vertex_sigma: float = 1.0,
        vertex_sigma_z: float = 50.0,
        num_vertices: int = 0,
        displaced_fraction: float = 0.0,
        displaced_length: float = 20.0,
        smear_rphi: float = 0.5,
        smear_z: float = 0.5,
        hole_fraction: float = 0.05,
        noise_fraction: float = 0.1,
        material: float = 0.0,
        pt_min: float = 0.0,
        eta_max: float = 4.0,
        min_hits: int = 3,
        outside_weight: float = 0.1,
        rotate: bool = True,
        mirror_z: bool = True,
        mirror_phi: bool = True,
        keep: int = 2000,
        graph: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(None)
        sizes = {"train": train_events, "calib": calib_events}
        sizes |= {"val": val_events, "test": test_events}
        self._events = members(split, sizes, num_events, seed, "events")
        self.root = None if root is None else str(root)
        self.split = split
        self.seed = seed
        self.window = Window(pt_min, eta_max, min_hits)
        self.detector = ToyDetector(
            dim=dim,
            num_layers=num_layers,
            r_min=r_min,
            r_max=r_max,
            half_length=half_length,
            num_discs=num_discs,
            disc_z_min=disc_z_min,
            disc_z_max=disc_z_max,
        )
        self.physics = ToyPhysics(
            num_tracks=num_tracks,
            num_tracks_max=num_tracks_max,
            field=field,
            pt_low=pt_low,
            pt_high=pt_high,
            pt_spectrum=pt_spectrum,
            pt_power=pt_power,
            eta_range=eta_range,
            vertex_sigma=vertex_sigma,
            vertex_sigma_z=vertex_sigma_z,
            num_vertices=num_vertices,
            displaced_fraction=displaced_fraction,
            displaced_length=displaced_length,
            smear_rphi=smear_rphi,
            smear_z=smear_z,
            hole_fraction=hole_fraction,
            noise_fraction=noise_fraction,
            material=material,
        )
        self.has_truth = True
        self._training = split == "train"
        self._outside_weight = outside_weight
        self._builder = build_with_options(TrackGraph, graph)
        self._augment = {"rotate": rotate, "mirror_z": mirror_z, "mirror_phi": mirror_phi}
        self._kept = SampleCache(keep)

    def len(self) -> int:
        """Number of events."""
        return len(self._events)

    def get(self, idx: int) -> Data:
        """Build sample ``idx``; training samples come under another random symmetry each time."""
        sample = self._kept.get(idx, lambda: self._build(idx))
        if not self._training:
            return sample
        return augmented_tracks(sample, access_rng(), **self._augment)

    def use_for_scoring(self) -> None:
        """From now on training samples too come as they are, not turned or mirrored."""
        self._training = False

    def event(self, idx: int) -> ToyEvent:
        """Return event ``idx`` without its graph."""
        root = None if self.split == "train" else self.root
        state = (_VERSION, self.seed, self.detector, self.physics)
        where = (root, "toy-tracks", state, self._events[idx])
        return kept_on_disk(*where, ToyEvent, lambda: self._generate(idx))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.split!r}, {len(self)})"

    def _generate(self, idx: int) -> ToyEvent:
        rng = np.random.default_rng(stream(self.seed, self._events[idx]))
        return generate_event(rng, self.detector, self.physics)

    def _build(self, idx: int) -> Data:
        event = self.event(idx)
        split, number = self._events[idx]
        pt, eta = (np.append(np.float32(np.nan), values) for values in (event.pt, event.eta))
        hits = TrackHits(
            name=f"toy-{split}-{number:06d}",
            pos=event.pos,
            surface=event.surface,
            node_id=np.arange(len(event.pos)),
            particle_id=event.particle_id,
            pt=pt[event.particle_id],
            eta=eta[event.particle_id],
            hit_weight=(event.particle_id > 0).astype(np.float32),
        )
        return track_sample(hits, self._builder, self.window, self._outside_weight)

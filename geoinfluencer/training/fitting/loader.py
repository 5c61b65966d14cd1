"""Training batches: seeded samples in the order of the sampler, and how they are loaded."""

from __future__ import annotations

import os

import torch
from torch.utils.data import Dataset
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

from geoinfluencer.training.configuration.config import TrainSection
from geoinfluencer.training.fitting.sampler import StepBatches, mixed_seed


class SeededAccess(Dataset[Data]):
    """Samples whose random augmentation depends on the place in the stream and nothing else.

    Args:
        samples: the training samples; an item may draw from torch's generator.
        seed: of the run.

    An item is asked for by ``(position, index)``: its place in the stream of
    :class:`StepBatches`, and its number in ``samples``.
    """

    def __init__(self, samples: Dataset[Data], seed: int) -> None:
        self.samples, self.seed = samples, seed

    def __getitem__(self, place: tuple[int, int]) -> Data:
        position, index = place
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mixed_seed(self.seed, position))
            return self.samples[index]

    def __len__(self) -> int:
        return len(self.samples)  # type: ignore[arg-type]


def cores() -> int:
    """CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def num_workers(settings: TrainSection) -> int:
    """Loader processes: half the cores, at most 8, none where there are no cores to spare."""
    if settings.workers != "auto":
        return settings.workers
    return min(8, cores() // 2) if cores() > 2 else 0


def train_loader(
    samples: Dataset[Data],
    settings: TrainSection,
    *,
    start: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> DataLoader:
    """Endless shuffled batches from batch number ``start`` on; see :class:`StepBatches`."""
    batches = StepBatches(
        len(samples),  # type: ignore[arg-type]
        settings.batch_size,
        seed=settings.seed,
        start=start,
        rank=rank,
        world_size=world_size,
    )
    workers = num_workers(settings)
    return DataLoader(
        SeededAccess(samples, settings.seed),
        batch_sampler=batches,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )

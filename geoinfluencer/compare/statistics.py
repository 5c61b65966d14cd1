"""Differences between runs that share a seed, and which of them mean something."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import ttest_1samp

LEVEL, DRAWS = 0.95, 10_000


@dataclass(frozen=True)
class Interval:
    """A mean with its percentile bootstrap interval (Efron, Ann. Statist. 7, 1979); NaN bounds:
    too few to tell."""

    mean: float
    low: float = math.nan
    high: float = math.nan

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


def bootstrap_seeds(differences: Sequence[float] | np.ndarray, *, level: float = LEVEL) -> Interval:
    """Interval of the mean of paired differences, the seeds drawn again with replacement.

    Args:
        differences: (S,) of one seed each.
        level: nominal coverage; with few seeds the true one is less.
    """
    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        return Interval(float(values.mean()) if len(values) else math.nan)
    counts = _counts(len(values), seed=0)
    return _percentiles(values.mean(), counts @ values / len(values), level)


def bootstrap_samples(differences: np.ndarray, *, level: float = LEVEL) -> Interval:
    """Interval of the mean when seeds and samples are both drawn again, each on its own (the
    pigeonhole bootstrap of Owen, Ann. Appl. Stat. 1, 2007).

    Args:
        differences: (S, E) of seed and sample; NaN: this sample has no score.
        level: nominal coverage.
    """
    there = np.isfinite(differences)
    if not there.any():
        return Interval(math.nan)
    mean = float(differences[there].mean())
    seeds, samples = differences.shape
    if seeds < 2 or samples < 2:
        return Interval(mean)
    rows, columns = _counts(seeds, seed=0), _counts(samples, seed=1)
    total = ((rows @ np.where(there, differences, 0.0)) * columns).sum(1)
    weight = ((rows @ there.astype(np.float64)) * columns).sum(1)
    return _percentiles(mean, total[weight > 0] / weight[weight > 0], level)


def paired_p(differences: Sequence[float] | np.ndarray) -> float:
    """p of Student's paired t test of no difference; 1 where all are 0, NaN below two seeds.

    Equal differences have no spread to hold them against; theirs is the p of their signs.
    """
    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        return math.nan
    if np.ptp(values) <= 1e-12 * np.abs(values).max():  # no spread: t is 0/0 or infinite
        return 1.0 if values[0] == 0 else 2.0 ** (1 - len(values))  # as a sign test
    return float(ttest_1samp(values, 0.0).pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected for their number (Holm, Scand. J. Statist. 6, 1979); NaN stays and does
    not count."""
    order = sorted((i for i, value in enumerate(p) if not math.isnan(value)), key=lambda i: p[i])
    corrected, largest = list(p), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p[index]))
        corrected[index] = largest
    return corrected


@dataclass(frozen=True)
class Difference:
    """A loss less the reference.

    Attributes:
        loss: its name.
        differences: one per seed that both ran.
        seeds: interval over the seeds.
        samples: over seeds and samples; None: the samples' scores are not there.
        p: of the paired t test, corrected for the number of losses compared.
    """

    loss: str
    differences: tuple[float, ...]
    seeds: Interval
    samples: Interval | None
    p: float

    @property
    def significant(self) -> bool:
        """Whether the interval over seeds excludes 0 and the t test agrees at 5 %.

        With three seeds of one sign the bootstrap alone would say so in a quarter of all cases in
        which there is no difference; the t test knows how few they are.
        """
        return self.seeds.excludes_zero and self.p < 1 - LEVEL


def differences(
    values: dict[str, dict[int, float]],
    reference: str,
    samples: dict[str, dict[int, np.ndarray]] | None = None,
) -> list[Difference]:
    """Every loss against the reference, seed by seed.

    Args:
        values: loss -> seed -> value; NaN is left out.
        reference: a key of it.
        samples: loss -> seed -> (E,) scores of the same samples in the same order.
    """
    base = {seed: value for seed, value in values[reference].items() if math.isfinite(value)}
    found, raw = [], []
    for loss, mine in values.items():
        if loss == reference:
            continue
        both = sorted(seed for seed in mine if seed in base and math.isfinite(mine[seed]))
        pairs = tuple(mine[seed] - base[seed] for seed in both)
        per_sample = _sample_differences(samples or {}, loss, reference, both)
        interval = None if per_sample is None else bootstrap_samples(per_sample)
        found.append((loss, pairs, bootstrap_seeds(pairs), interval))
        raw.append(paired_p(pairs))
    return [Difference(*entry, p) for entry, p in zip(found, holm(raw), strict=True)]


def _sample_differences(
    samples: dict[str, dict[int, np.ndarray]], loss: str, reference: str, seeds: Sequence[int]
) -> np.ndarray | None:
    mine, base = samples.get(loss, {}), samples.get(reference, {})
    both = [seed for seed in seeds if seed in mine and seed in base]
    rows = [mine[seed] - base[seed] for seed in both if len(mine[seed]) == len(base[seed])]
    if not rows or len({len(row) for row in rows}) > 1:
        return None
    return np.stack(rows)


def _counts(size: int, seed: int) -> np.ndarray:
    """(draws, size) how often each of ``size`` is drawn; the same at every call."""
    generator = np.random.default_rng(seed)
    drawn: np.ndarray = generator.multinomial(size, np.full(size, 1.0 / size), DRAWS)
    return drawn.astype(np.float64)


def _percentiles(mean: float, means: np.ndarray, level: float) -> Interval:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(mean), float(low), float(high))

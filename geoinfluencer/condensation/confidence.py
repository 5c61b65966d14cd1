"""Scores that mean something: the quality that instances of such traits had on calibration data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

LEAST_INSTANCES = 50  # to fit on: some five for each number that is fitted
_FOLDS = 5
_PENALTY = 10.0  # of half a squared weight: weak, but traits that say the same share it
_FARTHEST = 4.0  # standard deviations; what is stranger is not extrapolated
_LEAST_SLOPE = 1e-3  # of a score that says nothing: small, and still ranks
_BINS = 10
_STEPS, _LONGEST, _TINY = 50, 4.0, 1e-9  # of Newton's method


@dataclass(frozen=True)
class Confidence:
    r"""The expected quality of an instance with traits t, a logistic regression:

    .. math:: s = \sigma\Big(b + \sum_j w_j \frac{t_j - \mu_j}{\sigma_j}\Big)

    Attributes:
        names: traits that it reads.
        mean, scale: :math:`\mu, \sigma` of them.
        weight, bias: w, b.
        threshold: of the condensation whose instances it was fitted on.
        instances: so many.
        error_before, error_after: expected calibration error there, of the scores as found and of
            these; after: each instance scored by a fit without its sample.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    bias: float
    threshold: float
    instances: int
    error_before: float
    error_after: float

    def __call__(self, traits: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Scores (K,) of instances with these traits (K, T), whose columns are called so."""
        mean, scale, weight = (np.array(v) for v in (self.mean, self.scale, self.weight))
        return _Line(mean, scale, weight, self.bias)(_columns(traits, names, self.names))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists of them."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Confidence:
        """What :meth:`to_dict` gave."""
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return Confidence(**plain)


def fit_confidence(
    traits: np.ndarray,
    quality: np.ndarray,
    sample: np.ndarray,
    *,
    names: Sequence[str],
    threshold: float,
) -> Confidence | None:
    """A :class:`Confidence` by maximum likelihood with a small penalty, by Newton's method.

    It reads all traits only where that predicts the quality in samples left out better than the
    score alone does; else the score alone, and the ranking stays what it was.

    Args:
        traits: of instances; one is called ``score``.
        quality: of them, in [0, 1].
        sample: that each is of; those of a sample are left out together.
        names: of the traits.
        threshold: of the condensation.

    Shapes:
        traits (K, T), quality (K,), sample (K,).

    Returns:
        None where there are fewer than ``LEAST_INSTANCES``.
    """
    if len(quality) < LEAST_INSTANCES:
        return None
    score, folds = _columns(traits, names, ("score",)), _folds(sample)
    alone, together = (_held_out(columns, quality, folds) for columns in (score, traits))
    gain = _surprise(alone, quality) - _surprise(together, quality)
    better = gain.sum() > 2 * np.sqrt(gain.var() * len(gain))  # two standard errors
    line = _fit(traits if better else score, quality)
    return Confidence(
        tuple(names) if better else ("score",),
        *line.numbers(),
        threshold,
        len(quality),
        calibration_error(score[:, 0], quality),
        calibration_error(together if better else alone, quality),
    )


def calibration_error(score: np.ndarray, quality: np.ndarray, bins: int = _BINS) -> float:
    r"""Expected calibration error: how far mean score and mean quality are apart in bins with
    equally many instances each, of neighbouring scores, mean over the bins (`Naeini et al., AAAI
    2015 <https://ojs.aaai.org/index.php/AAAI/article/view/9602>`_, with such bins); nan of none.

    Shapes:
        score, quality (K,) -> number.
    """
    if not len(score):
        return float("nan")
    order = np.argsort(score, kind="stable")
    apart = [
        abs(float((score[part] - quality[part]).sum()))
        for part in np.array_split(order, min(bins, len(order)))
    ]
    return float(np.sum(apart)) / len(score)


@dataclass(frozen=True)
class _Line:
    mean: np.ndarray  # (T,)
    scale: np.ndarray
    weight: np.ndarray
    bias: float

    def __call__(self, columns: np.ndarray) -> np.ndarray:
        z = ((columns - self.mean) / self.scale).clip(-_FARTHEST, _FARTHEST)
        return _sigmoid(z @ self.weight + self.bias)

    def numbers(self) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], float]:
        mean, scale, weight = (tuple(v.tolist()) for v in (self.mean, self.scale, self.weight))
        return mean, scale, weight, float(self.bias)


def _fit(columns: np.ndarray, quality: np.ndarray) -> _Line:
    """The likeliest line through (K, T) columns, with a penalty on its weights."""
    mean, scale = columns.mean(axis=0), columns.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    z = ((columns - mean) / scale).clip(-_FARTHEST, _FARTHEST)
    z = np.column_stack([z, np.ones(len(z))])
    usual = float(quality.mean().clip(1e-3, 1 - 1e-3))
    weight = np.append(np.zeros(len(mean)), np.log(usual / (1 - usual)))
    penalty = np.append(np.full(len(mean), _PENALTY), _TINY)
    for _ in range(_STEPS):
        p = _sigmoid(z @ weight)
        slope = z.T @ (p - quality) + penalty * weight
        bend = (z * (p * (1 - p))[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        weight = weight - step.clip(-_LONGEST, _LONGEST)
        if np.abs(step).max() < 1e-10:
            break
    if len(mean) == 1:
        weight[0] = max(weight[0], _LEAST_SLOPE)
    return _Line(mean, scale, weight[:-1], float(weight[-1]))


def _held_out(columns: np.ndarray, quality: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(K,) score of each instance by a fit to those of other folds."""
    score = np.empty(len(quality))
    for fold in np.unique(folds):
        out = folds == fold
        score[out] = _fit(columns[~out], quality[~out])(columns[out])
    return score


def _folds(sample: np.ndarray) -> np.ndarray:
    """(K,) fold of each instance: its sample, some of which share one; of a single sample, fifths
    of its instances in their order."""
    number = np.unique(sample, return_inverse=True)[1].reshape(-1)
    if number.max() > 0:
        return number % _FOLDS
    return np.arange(len(number)) * _FOLDS // len(number)


def _surprise(score: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """(K,) cross-entropy of the quality with the score."""
    p = score.clip(1e-6, 1 - 1e-6)
    return -(quality * np.log(p) + (1 - quality) * np.log(1 - p))


def _columns(traits: np.ndarray, names: Sequence[str], chosen: Sequence[str]) -> np.ndarray:
    return traits[:, [list(names).index(name) for name in chosen]]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))

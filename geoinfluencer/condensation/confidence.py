"""Scores that mean something: the quality that instances of such traits had on calibration data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, stdtrit

LEAST_INSTANCES = 50  # to fit on: some five for each number that is fitted
_FOLDS = 5
_PENALTY = 10.0  # of half a squared weight: weak, but traits that say the same share it
_FARTHEST = 4.0  # standard deviations; what is stranger is not extrapolated
_LEAST_SLOPE = 1e-3  # of the fitted score, for a standard deviation of one that says nothing
_FARTHEST_BIAS = 6.0  # a mean quality of .9975: single precision still tells scores apart there
_SURE = 0.975  # probability, one-sided
_BINS = 10
_STEPS, _LONGEST, _TINY = 50, 4.0, 1e-9  # of Newton's method


@dataclass(frozen=True)
class Confidence:
    r"""The expected quality of an instance with traits t, a logistic regression:

    .. math:: s = \sigma\Big(b + \sum_j w_j z_j\Big), \quad z_j = \frac{t_j - \mu_j}{\sigma_j}

    with z within 4, except that of a ``score`` which is read alone: beyond 4 that grows as a
    logarithm does, and ranks as it did.

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
        return _Logistic(mean, scale, weight, self.bias)(_columns(traits, names, self.names))

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

    It reads all traits only where that clearly predicts the quality in samples left out better than
    the score alone does, see :func:`clearly_positive`; else the score alone, and the ranking stays
    what it was.

    Args:
        traits: of instances; one is called ``score``.
        quality: of them, in [0, 1].
        sample: that each is of; those of a sample are left out together.
        names: of the traits.
        threshold: of the condensation.

    Shapes:
        traits (K, T), quality (K,), sample (K,).

    Returns:
        None where there are fewer than ``LEAST_INSTANCES``, or their qualities are all alike.
    """
    if len(quality) < LEAST_INSTANCES or np.ptp(quality) == 0:
        return None
    score, folds = _columns(traits, names, ("score",)), _folds(sample)
    by_score, by_all = (_held_out(columns, quality, folds) for columns in (score, traits))
    gain = _cross_entropy(by_score, quality) - _cross_entropy(by_all, quality)
    better = clearly_positive(gain, sample)
    fitted = _fit(traits, quality) if better else _fit(score, quality).rising()
    return Confidence(
        tuple(names) if better else ("score",),
        *fitted.numbers(),
        threshold,
        len(quality),
        calibration_error(score[:, 0], quality),
        calibration_error(by_all if better else by_score, quality),
    )


def clearly_positive(gain: np.ndarray, sample: np.ndarray) -> bool:
    """Whether the mean gain is above 0 by Student's t-test, one-sided, with an error of 2.5 %.

    What counts as independent are the sums over samples, whose number may be small: two must gain
    nearly alike. Of a single sample it has to be the instances.

    Shapes:
        gain, sample (K,) -> bool.
    """
    number = np.unique(sample, return_inverse=True)[1].reshape(-1)
    if number.max(initial=0) > 0:
        gain = np.bincount(number, weights=gain)
    if len(gain) < 2:
        return False
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    return bool(gain.mean() > stdtrit(len(gain) - 1, _SURE) * error)


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
class _Logistic:
    mean: np.ndarray  # (T,)
    scale: np.ndarray
    weight: np.ndarray
    bias: float

    def __call__(self, columns: np.ndarray) -> np.ndarray:
        z = _standardised(columns, self.mean, self.scale)
        score: np.ndarray = expit(z @ self.weight + self.bias)
        return score

    def rising(self) -> _Logistic:
        """The same of one column, rising with it fast enough that the result tells apart what it
        did."""
        p = expit(self.bias)
        least = _LEAST_SLOPE / (p * (1 - p))
        return replace(self, weight=np.maximum(self.weight, least))

    def numbers(self) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], float]:
        mean, scale, weight = (tuple(v.tolist()) for v in (self.mean, self.scale, self.weight))
        return mean, scale, weight, float(self.bias)


def _fit(columns: np.ndarray, quality: np.ndarray) -> _Logistic:
    """The likeliest regression on (K, T) columns, with a penalty on its weights."""
    mean, scale = columns.mean(axis=0), columns.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    z = _standardised(columns, mean, scale)
    z = np.column_stack([z, np.ones(len(z))])
    usual = float(quality.mean().clip(1e-3, 1 - 1e-3))
    weight = np.append(np.zeros(len(mean)), np.log(usual / (1 - usual)))
    penalty = np.append(np.full(len(mean), _PENALTY), _TINY)
    for _ in range(_STEPS):
        p = expit(z @ weight)
        gradient = z.T @ (p - quality) + penalty * weight
        hessian = (z * (p * (1 - p))[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        weight = weight - step.clip(-_LONGEST, _LONGEST)
        if np.abs(step).max() < 1e-10:
            break
    if len(mean) == 1:
        weight[0] = max(weight[0], 0.0)  # a larger score never says less
    bias = float(weight[-1].clip(-_FARTHEST_BIAS, _FARTHEST_BIAS))
    return _Logistic(mean, scale, weight[:-1], bias)


def _standardised(columns: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    z = (columns - mean) / scale
    near = z.clip(-_FARTHEST, _FARTHEST)
    if len(mean) > 1:
        return near
    return near + np.sign(z) * np.log1p(np.abs(z - near))


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


def _cross_entropy(score: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """(K,) cross-entropy of the quality with the score."""
    p = score.clip(1e-6, 1 - 1e-6)
    return -(quality * np.log(p) + (1 - quality) * np.log(1 - p))


def _columns(traits: np.ndarray, names: Sequence[str], chosen: Sequence[str]) -> np.ndarray:
    return traits[:, [list(names).index(name) for name in chosen]]

"""Confidence intervals of efficiencies, and efficiencies in bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, norm


def clopper_pearson(
    passed: np.ndarray, total: np.ndarray, level: float = 0.6827
) -> tuple[np.ndarray, np.ndarray]:
    r"""Exact central interval of a binomial proportion (Clopper and Pearson, Biometrika 26, 1934).

    .. math:: l = B^{-1}(\alpha/2;\, k,\, n-k+1), \quad u = B^{-1}(1-\alpha/2;\, k+1,\, n-k)

    Args:
        passed: Number k of successes, any shape.
        total: Number n of trials, same shape.
        level: Coverage :math:`1-\alpha`; the default is one standard deviation.

    Returns:
        Lower and upper bounds; nan where n = 0.
    """
    k, n = np.asarray(passed, np.float64), np.asarray(total, np.float64)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(k > 0, beta.ppf(tail, k, n - k + 1), 0.0)
        high = np.where(k < n, beta.ppf(1 - tail, k + 1, n - k), 1.0)
    undefined = n == 0
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def wilson(
    passed: np.ndarray, total: np.ndarray, level: float = 0.6827
) -> tuple[np.ndarray, np.ndarray]:
    r"""Score interval of a binomial proportion (Wilson, JASA 22, 1927): shorter, not conservative.

    .. math:: \frac{k + z^2/2}{n + z^2} \pm \frac{z}{n + z^2}\sqrt{\frac{k(n-k)}{n} + \frac{z^2}{4}}

    Args:
        passed: Number k of successes, any shape.
        total: Number n of trials, same shape.
        level: Nominal coverage.

    Returns:
        Lower and upper bounds; nan where n = 0.
    """
    k, n = np.asarray(passed, np.float64), np.asarray(total, np.float64)
    z = norm.ppf(0.5 + level / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (k + z**2 / 2) / (n + z**2)
        half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    undefined = n == 0
    low, high = (centre - half).clip(min=0), (centre + half).clip(max=1)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


@dataclass(frozen=True)
class BinnedEfficiency:
    """An efficiency in bins of a variable, with binomial intervals.

    Attributes:
        name: The variable with its unit, for an axis.
        edges: (bins + 1,) bin edges; the last bin includes its upper edge.
        passed: (bins,) number of successes.
        total: (bins,) number of trials.
    """

    name: str
    edges: np.ndarray
    passed: np.ndarray
    total: np.ndarray

    @classmethod
    def fill(
        cls, name: str, edges: np.ndarray, value: np.ndarray, success: np.ndarray
    ) -> BinnedEfficiency:
        """Count the successes (M,) bool in bins of the value (M,); values outside are left out.

        Values and edges are compared in float32, as samples store values: 0.9 is in the bin that
        begins at 0.9 in either precision.
        """
        rounded, limits = np.asarray(value, np.float32), np.asarray(edges, np.float32)
        total, _ = np.histogram(rounded, bins=limits)
        passed, _ = np.histogram(rounded[success], bins=limits)
        return cls(name, np.asarray(edges, np.float64), passed, total)

    @property
    def efficiency(self) -> np.ndarray:
        """(bins,) share of successes, nan in empty bins."""
        with np.errstate(invalid="ignore"):
            return np.where(self.total > 0, self.passed / np.maximum(self.total, 1), np.nan)

    def interval(self, level: float = 0.6827) -> tuple[np.ndarray, np.ndarray]:
        """Clopper-Pearson bounds (bins,), nan in empty bins."""
        return clopper_pearson(self.passed, self.total, level)

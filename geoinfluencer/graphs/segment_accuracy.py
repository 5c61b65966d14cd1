"""How well segments can follow objects when all that is asked of them is to be of one each."""

from __future__ import annotations

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.majority import segment_majority


def achievable_accuracy(
    segment: np.ndarray,  # (P,) 0..K-1
    label: np.ndarray,  # (P,) integers, background included
) -> float:
    r"""Achievable segmentation accuracy (`Liu et al., CVPR 2011
    <https://doi.org/10.1109/CVPR.2011.5995323>`_): the share of the pixels that are right when
    every segment takes the label that most of its pixels have.

    .. math:: \mathrm{ASA} = \frac{1}{P} \sum_k \max_l |s_k \cap g_l|

    Args:
        segment: Of each pixel.
        label: Of each pixel.

    Raises:
        InputError: Shapes do not fit, or there are no pixels.
    """
    if segment.shape != label.shape or segment.ndim != 1 or not len(segment):
        raise InputError(
            f"`segment` has shape {segment.shape} and `label` {label.shape}; expected one of each "
            "per pixel, at least one"
        )
    owner = segment_majority(segment, label, int(segment.max()) + 1)
    return float((owner[segment] == label).mean())

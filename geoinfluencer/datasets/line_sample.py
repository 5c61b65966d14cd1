"""From an image of lines to one graph sample: what the sets of charts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.pixel_codes import FIRST, IGNORED


@dataclass(frozen=True)
class LineTruth:
    """The lines of an image and what every pixel belongs to.

    Attributes:
        code: (H, W) int32: 0 background, 1 ignored, 2 + k line k.
        line_xy: (P, 2) float32, points of all lines in their order, one line after another, in
            pixels: column and row of pixel centres.
        line_of: (P,) int64, line of each point, ascending.
    """

    code: np.ndarray
    line_xy: np.ndarray
    line_of: np.ndarray


def line_truth(code: np.ndarray, lines: Sequence[np.ndarray]) -> LineTruth:
    """Truth of a painted image (H, W) and its polylines (P, 2)."""
    points = [np.zeros((0, 2)), *lines]
    line_of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    return LineTruth(
        code.astype(np.int32),
        np.concatenate(points).astype(np.float32),
        line_of.astype(np.int64),
    )


def attach_lines(data: Data, truth: LineTruth | None) -> Data:
    """Give the nodes of a pixel graph their truth: that of their pixel.

    Sets ``instance`` (N,), the line or -1, ``ignore``, ``weight`` (1), ``line_xy`` and ``line_of``.
    Lines that no node is of come last, so that instances are numbered without gaps. Without truth
    every node has instance -1 and is ignored, and there are no lines.
    """
    count = int(data.num_nodes)
    data.weight = torch.ones(count)
    if truth is None:
        data.instance = torch.full((count,), -1)
        data.ignore = torch.ones(count, dtype=torch.bool)
        return data
    column, row = data.pos.numpy().astype(np.int64).T
    code = truth.code[row, column].astype(np.int64)
    lines = int(truth.line_of.max(initial=-1)) + 1
    nodes = np.bincount(np.maximum(code - FIRST + 1, 0), minlength=lines + 1)[1:]
    number = np.empty(lines, np.int64)
    number[np.argsort(nodes == 0, kind="stable")] = np.arange(lines)
    instance = np.full(count, -1, np.int64)
    instance[code >= FIRST] = number[code[code >= FIRST] - FIRST]
    line_of = number[truth.line_of]
    order = np.argsort(line_of, kind="stable")
    data.instance = torch.from_numpy(instance)
    data.ignore = torch.from_numpy(code == IGNORED)
    data.line_xy = torch.from_numpy(truth.line_xy[order])
    data.line_of = torch.from_numpy(line_of[order])
    return data

"""How fast rooms are cut into superpoints, and what whole superpoints allow at best.

python examples/superpoint_ceilings.py                               # generated rooms, calib
python examples/superpoint_ceilings.py --dataset s3dis --data-root DIR
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
import torch

from geoinfluencer.datasets import resolve_dataset
from geoinfluencer.datasets.room_set import RoomSet
from geoinfluencer.graphs import Superpoints, coarser, superpoint_ceiling

THRESHOLDS = np.arange(0.5, 0.95, 0.05)  # of ScanNet's AP, the IoU above them


def main(
    samples: RoomSet, sizes: list[int], voxel: float = 0.05, coarse: Sequence[int] = ()
) -> list[tuple[float, ...]]:
    """Rows of the table, those of ``coarse`` of whole superpoints of the first size: least voxels,
    superpoints per room, mean IoU, AP and AP50 of a grouping without mistakes whose scores rank
    well, and points per second of one core."""
    torch.set_num_threads(1)
    rooms = [samples.room(i) for i in range(samples.num_rooms())]
    clouds = [(np.array(r.pos), np.array(r.color)) for r in rooms]
    clouds = [(pos, color if (color != color[0]).any() else None) for pos, color in clouds]
    rows = []
    for size, above in [*((size, None) for size in sizes), *((sizes[0], each) for each in coarse)]:
        cut = Superpoints(voxel=voxel, min_size=size)
        cut(*clouds[0])
        counts, ious, seconds = [], [], 0.0
        for room, cloud in zip(rooms, clouds, strict=True):
            start = time.process_time()
            found = cut(*cloud)
            if above is not None:
                found = coarser(found, min_size=above)
            seconds += time.process_time() - start
            counts.append(found.count)
            ious.append(superpoint_ceiling(found.superpoint_of_point, np.array(room.instance)))
        rows.append(
            (above or size, float(np.mean(counts)), *_scores(ious), _points(clouds) / seconds)
        )
    if all(len(room.segment) for room in rooms):
        count = float(np.mean([len(np.unique(room.segment)) for room in rooms]))
        own = [superpoint_ceiling(np.array(r.segment), np.array(r.instance)) for r in rooms]
        rows.append((0, count, *_scores(own), np.nan))
    return rows


def _scores(ious: list[np.ndarray]) -> tuple[float, float, float]:
    iou = np.concatenate(ious)
    shares = [float((iou > threshold).mean()) for threshold in THRESHOLDS]
    return float(iou.mean()), float(np.mean(shares)), shares[0]


def _points(clouds: list[tuple[np.ndarray, np.ndarray | None]]) -> int:
    return sum(len(pos) for pos, _ in clouds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="synthetic-rooms")
    parser.add_argument("--data-root")
    parser.add_argument("--voxel", type=float, default=0.05, help="metres")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 20, 40, 80])
    parser.add_argument("--coarse", type=int, nargs="+", default=[], help="of the first size")
    options = parser.parse_args()
    cls = resolve_dataset(options.dataset)
    made = options.data_root is None
    chosen = cls(None, "calib") if made else cls(options.data_root, "all", classes=False)
    print("| least voxels | superpoints a room | mean IoU | AP | AP50 | points/s |")
    print("|---|---|---|---|---|---|")
    coarse = [f"{size}, of whole ones of {options.sizes[0]}" for size in options.coarse]
    names = [*map(str, options.sizes), *coarse, "the scan's own"]
    rows = main(chosen, options.sizes, options.voxel, options.coarse)
    for name, (_, count, *scores, rate) in zip(names, rows, strict=False):
        cells = [name, f"{count:.0f}", *(f"{score:.3f}" for score in scores)]
        print(f"| {' | '.join(cells)} | {'' if np.isnan(rate) else f'{rate:,.0f}'} |")

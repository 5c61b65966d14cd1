"""What files of scanned scenes call their classes: names in the order of their numbers."""

from __future__ import annotations

# ScanNet (Dai et al., CVPR 2017, https://doi.org/10.1109/CVPR.2017.261): the 20 classes of the
# benchmark, and the numbers that NYU40 gives them
SCANNET_CLASSES = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf",
    "picture", "counter", "desk", "curtain", "refrigerator", "shower curtain", "toilet", "sink",
    "bathtub", "otherfurniture",
)  # fmt: skip
SCANNET_STUFF = SCANNET_CLASSES[:2]  # the other 18 are the instances of the benchmark
NYU40_IDS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 24, 28, 33, 34, 36, 39)

# S3DIS (Armeni et al., CVPR 2016, https://doi.org/10.1109/CVPR.2016.170), in the order of PointNet,
# ASIS, mmdet3d, Pointcept and Mask3D; others swap chair with table and bookcase with sofa, so files
# of theirs are to be mapped by name
S3DIS_CLASSES = (
    "ceiling", "floor", "wall", "beam", "column", "window", "door",
    "table", "chair", "sofa", "bookcase", "board", "clutter",
)  # fmt: skip
S3DIS_STUFF = S3DIS_CLASSES[:7]  # the fabric of the room, which some protocols count as stuff

# STPLS3D (Chen et al., BMVC 2022, https://arxiv.org/abs/2203.09065)
STPLS3D_CLASSES = (
    "ground", "building", "low vegetation", "medium vegetation", "high vegetation", "vehicle",
    "truck", "aircraft", "military vehicle", "bike", "motorcycle", "light pole", "street sign",
    "clutter", "fence",
)  # fmt: skip

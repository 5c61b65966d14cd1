"""Cell nuclei in microscope images, with COCO-JSON annotations beside the folders."""

from __future__ import annotations

import os
from typing import Any, Literal

from geoinfluencer.datasets.coco import Coco


class Nuclei(Coco):
    """Nuclei such as those of the 2018 Data Science Bowl (`Caicedo et al., Nature Methods 2019
    <https://doi.org/10.1038/s41592-019-0612-7>`_): ``train.json`` and ``val.json`` beside the
    folders ``train`` and ``val``; one of them is enough for its own split.

    Class-agnostic. ``"test"`` is ``test.json`` with the folder ``test``, where there is one.

    Args:
        root: Folder of those files; for ``"all"`` an image or a folder of images.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"`` or ``"all"``.
        calib_share: Share of the training images that calibrate and are not trained on.
        seed: Which those are.
        max_images: At most so many images of a split, the first; None = all. ``"all"`` is always
            all.
        mirror: Mirror training samples with probability 1/2.
        turn: Turn training samples by a random multiple of 90 degrees.
        keep: Number of built samples kept in memory.
        pixels: Keep the pixels too, for a model with a stem; 11 bytes per pixel.
        graph: Options of :class:`~geoinfluencer.graphs.images.ImageGraph`.

    Raises:
        InputError: As of :class:`~geoinfluencer.datasets.coco.Coco`.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        calib_share: float = 0.1,
        seed: int = 0,
        max_images: int | None = None,
        mirror: bool = True,
        turn: bool = True,
        keep: int = 1000,
        pixels: bool = False,
        graph: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            root, split,
            train_images="train", train_annotations="train.json",
            val_images="val", val_annotations="val.json",
            test_images="test", test_annotations="test.json",
            calib_share=calib_share, seed=seed, max_images=max_images, class_agnostic=True,
            mirror=mirror, turn=turn, keep=keep, pixels=pixels, graph=graph,
        )  # fmt: skip

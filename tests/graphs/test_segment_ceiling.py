"""What perfect grouping of the superpixels of real images would score, as COCO AP."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.graphs.images import image_to_graph

pytest.importorskip("PIL", reason="needs the extra geoinfluencer[images]")
pytest.importorskip("pycocotools", reason="needs the extra geoinfluencer[images]")

# measured with these superpixels: 500 segments 45.8, 2000 65.2, 4000 72.5
SEGMENTS, CEILING = 1000, 54.6


def ceiling(truth: Path, images: Path, n_segments: int) -> float:
    """AP over the areas, in percent, of the segments that most pixels of an object hold."""
    from PIL import Image
    from pycocotools import mask
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(truth))
        found = []
        for number in coco.getImgIds():
            image = np.asarray(Image.open(images / coco.imgs[number]["file_name"]))
            data = image_to_graph(image, n_segments=n_segments)
            segment = data.segment_map.numpy().reshape(image.shape[:2])
            objects = coco.loadAnns(coco.getAnnIds(number))
            label = np.zeros(segment.shape, np.int64)
            for k, each in sorted(enumerate(objects, 1), key=lambda pair: -pair[1]["area"]):
                label[coco.annToMask(each) > 0] = k
            width = len(objects) + 1
            count = np.bincount((segment * width + label).ravel(), minlength=data.num_nodes * width)
            owner = count.reshape(-1, width).argmax(1)
            for k in np.unique(owner[owner > 0]):
                code = mask.encode(np.asfortranarray((owner == k)[segment].astype(np.uint8)))
                code["counts"] = code["counts"].decode()
                found.append(
                    {"image_id": number, "category_id": 1, "segmentation": code, "score": 1.0}
                )
        scores = COCOeval(coco, coco.loadRes(json.loads(json.dumps(found))), "segm")
        scores.params.maxDets = [1, 100, 1000]
        scores.evaluate()
        scores.accumulate()
    precision = scores.eval["precision"][:, :, :, 0, 2]
    return 100 * float(precision[precision > -1].mean())


@pytest.mark.slow
def test_ceiling_of_nuclei(test_data: Path) -> None:
    folder = test_data / "nuclei"
    if not (folder / "val.json").is_file():
        pytest.skip(f"no {folder}/val.json")
    found = ceiling(folder / "val.json", folder / "val", SEGMENTS)
    assert found == pytest.approx(CEILING, abs=1.5)

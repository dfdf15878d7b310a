"""The paper's setting at 1024 x 2048: parity with the official evaluator, time, memory.

``bench_full_size.py FOLDER [--only NAME ...] [--frames N] [--save]``; the folder holds
``leftImg8bit`` and ``gtFine``. Each model runs the study ``params/cityscapes.yaml`` in a process of
its own, one thread, one frame at a time, and the label maps that a segmenter made go to the
official evaluator as well. Models that are not named keep the rows that were saved of them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from PIL import Image

from vlmis_utils.core.provenance import machine
from vlmis_utils.datasets.cityscapes import TRAIN_IDS
from vlmis_utils.metrics.segmentation import iou, miou
from vlmis_utils.models.checkpoints import folder_digest
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.protocol.models import ModelEntry, load_catalogue
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner import run
from vlmis_utils.runner.context import Loaders

FILE = Path(__file__).resolve().parents[2] / "book" / "measured" / "full-size.csv"
_OFFICIAL = {train: own for own, train in TRAIN_IDS.items() if train != IGNORE}


class Kept:
    """A segmenter that also writes its label maps, as official label ids, in the order it is asked.

    Args:
        entry: of the catalogue.
        device: of its model.
    """

    def __init__(self, entry: object, device: str = "cpu") -> None:
        self.model, self.folder, self.made = load_segmenter(entry, device), FOLDER, 0
        self.digest = self.model.digest

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Return the model's train ids, uint8 (B, H, W)."""
        output = self.model.predict(images)
        table = np.array([_OFFICIAL.get(value, 0) for value in range(256)], np.uint8)
        for one in output.cpu().numpy():
            Image.fromarray(table[one]).save(self.folder / f"{self.made:06d}.png")
            self.made += 1
        return output


FOLDER = Path()


def main() -> None:
    parser = argparse.ArgumentParser("bench_full_size.py", None, __doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="models of the catalogue")
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--save", action="store_true", help=f"in {FILE.name}")
    options = parser.parse_args()
    catalogue = load_catalogue("params/models.yaml")
    trained = [n for n in catalogue if n.endswith(("-small-cityscapes", "edgetpu-cityscapes"))]
    table = pd.DataFrame({"model": []})
    if FILE.exists():
        table = pd.read_csv(FILE, dtype={"digest": str})
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only or trained:
            if not Path(catalogue[name].checkpoint).exists():
                continue
            about = (options.folder, folder, name, catalogue[name], options.frames)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows = pd.DataFrame(pool.apply(measure, about))
            print(rows.to_string(index=False), flush=True)
            table = pd.concat([table[table.model != name], rows], ignore_index=True)
            table = table.sort_values(
                "model", kind="stable", key=lambda m: m.map(list(catalogue).index)
            )
            if options.save:
                table.to_csv(FILE, index=False, float_format="%.6g")


def measure(
    root: Path, folder: str, name: str, entry: ModelEntry, frames: int
) -> list[dict[str, object]]:
    """Run one model on all conditions; return a row for each, of a VLM one row in all."""
    global FOLDER
    torch.set_num_threads(1)
    study = replace(
        load_study("params/cityscapes.yaml"), data_root=str(root), scenes=frames, vlms=(),
        segmenters=(), mirrored=0, build_root=folder, batch_size=1, shard_size=frames, workers=1,
        device="cpu",
    )  # fmt: skip
    run.run(study, ["scenes", "conditions"])
    with tempfile.TemporaryDirectory() as maps:
        FOLDER = Path(maps)
        study = replace(study, **{f"{entry.kind}s": (name,)})
        start = time.process_time()
        run.run(study, loaders=Loaders(segmenter=Kept, vlm=load_vlm))
        cpu = (time.process_time() - start) / (frames * len(CONDITIONS))
        about = {"model": name, "kind": entry.kind, "frames": frames, "cpu_seconds": cpu}
        about |= {"mib": _peak(), **_machine(), "digest": folder_digest(entry.checkpoint)}
        if entry.kind == "vlm":
            return [about]
        table = pq.read_table(study.records / "segmentation.parquet").to_pandas()
        return [about | row for row in _parity(study, table)]


def _parity(study: Study, table: pd.DataFrame) -> list[dict[str, object]]:
    """Return ours and the official mIoU under each condition, and the largest gap of a class.

    Both are over the classes in the truth: the evaluator itself also counts, as zero, classes that
    are only predicted, which a whole split does not have.
    """
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as evaluator

    args = SimpleNamespace(
        evalInstLevelScore=False, evalPixelAccuracy=False, evalLabels=[], quiet=True,
        JSONOutput=False,
    )  # fmt: skip
    true = sorted(Path(study.data_root).glob("gtFine/val/*/*_gtFine_labelIds.png"))
    by_scene = {path.name.removesuffix("_gtFine_labelIds.png"): str(path) for path in true}
    rows = []
    for place, condition in enumerate(study.conditions):
        part = table[table.condition == condition]
        counts = np.stack(list(part.confusion)).reshape(-1, 19, 19)
        predicted = [
            str(FOLDER / f"{place * study.scenes + i:06d}.png") for i in range(study.scenes)
        ]
        truth = [by_scene[scene.split("-", 2)[2]] for scene in part.scene_id]
        theirs = evaluator.evaluateImgLists(predicted, truth, args)["classScores"]
        total = counts.sum(axis=0)
        official = np.array([theirs[c] for c in TRAIN_CLASSES])
        gap = np.nanmax(np.abs(iou(total) - official))
        seen = total.sum(axis=1) > 0
        rows.append(
            {"condition": condition, "miou": float(miou(total)),
             "official_miou": float(official[seen].mean()), "largest_gap": float(gap)}
        )  # fmt: skip
    return rows


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _machine() -> dict[str, str]:
    known = machine()
    words = f"{known['processor']}, one thread of {known['cores']}"
    return {"machine": words}


if __name__ == "__main__":
    main()

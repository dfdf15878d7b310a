"""A drive as it is seen, segmented and told: what a film strip shows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from PIL import Image

from vlmis_utils.analysis.sequences.results import Sequences
from vlmis_utils.core.device import resolve_device
from vlmis_utils.corruptions.in_time import degrade_frames
from vlmis_utils.datasets.cache import as_tensor
from vlmis_utils.datasets.registry import Scene, open_scenes

__all__ = ["Shot", "film", "pick_drive", "told", "without_numbers"]


@dataclass(frozen=True, eq=False)
class Shot:
    """A frame under a condition.

    Attributes:
        scene_id, time: which, s.
        picture: uint8 (H, W, 3).
        mask: train ids that a segmenter predicts, uint8 (h, w); None where none is recorded.
    """

    scene_id: str
    time: float
    picture: np.ndarray
    mask: np.ndarray | None = None


def pick_drive(found: Sequences) -> str:
    """Return the drive whose safety label changes most often; the first one of several."""
    changes = found.places.groupby("sequence").safe.apply(lambda s: int((s != s.shift()).sum()))
    return str(changes.idxmax())


def film(
    found: Sequences, sequence: str, condition: str = "clean", count: int = 0, segmenter: str = ""
) -> list[Shot]:
    """Return frames of a drive under a condition.

    Args:
        found: whose study says which dataset, and how conditions hold over time.
        sequence, condition: which.
        count: frames, spread evenly over the drive; 0 for all.
        segmenter: whose recorded label maps to show beside; none if empty.
    """
    study = found.study
    scenes = [s for s in open_scenes(study) if s.in_time.sequence == sequence]
    if count and count < len(scenes):
        scenes = [scenes[i] for i in np.linspace(0, len(scenes) - 1, count).round().astype(int)]
    device = resolve_device(study.device)
    images = torch.stack([as_tensor(scene.image()) for scene in scenes])
    seen = degrade_frames(
        images, condition, [scene.in_time for scene in scenes], study.timing,
        scene_ids=[scene.scene_id for scene in scenes], device=device,
        backend=study.corruption_backend, seed=study.seed, blur_scale=study.blur_scale,
        noise_sigma=study.noise_sigma,
    )  # fmt: skip
    masks = _masks(found, scenes, condition, segmenter)
    return [_shot(*parts) for parts in zip(scenes, seen, masks, strict=True)]


def _masks(
    found: Sequences, scenes: Sequence[Scene], condition: str, segmenter: str
) -> list[np.ndarray | None]:
    table = found.results.segmentation
    table = table[(table.segmenter == segmenter) & (table.condition == condition)]
    kept = dict(zip(table.scene_id, table["mask"], strict=True))
    pictures = [kept.get(scene.scene_id) for scene in scenes]
    return [None if p is None else np.asarray(Image.open(io.BytesIO(p))) for p in pictures]


def _shot(scene: Scene, image: torch.Tensor, mask: np.ndarray | None) -> Shot:
    picture = image.permute(1, 2, 0).contiguous().cpu().numpy()
    return Shot(scene.scene_id, scene.in_time.time, picture, mask)


def without_numbers(reasons: pd.Series) -> pd.Series:
    """Return why frames are unsafe, without distances and times.

    >>> without_numbers(pd.Series(["car in corridor at 4.5 m"])).tolist()
    ['car in corridor']
    """
    return reasons.str.replace(r" at [\d.]+ m| in [\d.]+ s", "", regex=True)


def told(found: Sequences, shots: Sequence[Shot], condition: str, vlm: str) -> pd.DataFrame:
    """Return what a model said of each frame: time, safe and the reason, decision, missed and
    invented classes."""
    frames = found.frames[(found.frames.vlm == vlm) & (found.frames.condition == condition)]
    names = [shot.scene_id for shot in shots]
    rows = frames.set_index("scene_id").loc[names]
    reasons = found.places.set_index("scene_id").safety_reason.loc[names]
    return pd.DataFrame(
        {
            "time": rows.time.to_numpy(),
            "safe": rows.safe.to_numpy(),
            "reason": without_numbers(reasons).to_numpy(),
            "decision": rows.decision.to_numpy(),
            "missed": [len(must - said) for must, said in zip(
                rows.critical, rows.mentioned, strict=True)],
            "invented": [len(said - real) for said, real in zip(
                rows.mentioned, rows.present, strict=True)],
        }
    )  # fmt: skip

"""One scene looked at closely: its picture under each condition and what segmenters make of it.

Records hold counts, not label maps, so the pages that show masks predict them again, for one scene.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.core.device import resolve_device
from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.registry import Scene, open_scenes
from vlmis_utils.protocol.models import find_model, load_catalogue
from vlmis_utils.protocol.study import Study

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "View",
    "degrade",
    "find_scene",
    "look",
    "pick_crowded_scene",
    "pick_changed_judgement",
    "pick_story",
    "unsure",
]

_NOTHING = 1e-6  # HR below it: no class was invented


@dataclass(frozen=True, eq=False)
class View:
    """A scene under one condition.

    Attributes:
        condition: name of the condition.
        image: uint8 (H, W, 3), as the models see it.
        masks: segmenter -> predicted train ids uint8 (H, W).
    """

    condition: str
    image: np.ndarray
    masks: dict[str, np.ndarray] = field(default_factory=dict)


def find_scene(study: Study, scene_id: str) -> Scene:
    """Return a scene of a study by its id.

    Raises:
        UserError: the study's scenes hold no such id.
    """
    for scene in open_scenes(study):
        if scene.scene_id == scene_id:
            return scene
    few = f"{study.dataset} has no scene {scene_id!r} among its first {study.scenes}"
    raise UserError(f"{few}: run the study")


def degrade(study: Study, scene: Scene, conditions: Sequence[str]) -> list[View]:
    """Return the scene under each condition, the very pixels that the models of the study saw."""
    pictures = _degraded(study, scene, conditions, "cpu")
    return [View(condition, _array(picture)) for condition, picture in pictures.items()]


def look(
    study: Study, scene: Scene, conditions: Sequence[str], segmenters: Sequence[str]
) -> list[View]:
    """Return the scene under each condition with the label map that each segmenter predicts."""
    from vlmis_utils.models.segmentation.loading import load_segmenter

    device = resolve_device(study.device)
    pictures = _degraded(study, scene, conditions, device)
    views = [View(condition, _array(picture)) for condition, picture in pictures.items()]
    catalogue = load_catalogue(study.models)
    for name in segmenters:
        segmenter = load_segmenter(find_model(catalogue, name, "segmenter"), device)
        for view in views:
            mask = segmenter.predict(pictures[view.condition])
            view.masks[name] = mask[0].cpu().numpy()
    return views


def unsure(
    study: Study, scene: Scene, conditions: Sequence[str], segmenter: str
) -> list[tuple[View, np.ndarray]]:
    """Return the scene under each condition with the entropy of a segmenter's softmax.

    Returns:
        for each condition the view, with the label map of that segmenter, and the entropy by
        log 19, float32 (64, 128); a segmenter that gives labels only has no map and raises.

    Raises:
        UserError: the segmenter gives labels only.
    """
    from vlmis_utils.metrics.signals.uncertainty import entropy
    from vlmis_utils.models.segmentation.loading import load_segmenter
    from vlmis_utils.protocol.signals import GRID

    device = resolve_device(study.device)
    model = load_segmenter(find_model(load_catalogue(study.models), segmenter, "segmenter"), device)
    found = []
    for condition, picture in _degraded(study, scene, conditions, device).items():
        labels, shares = model.predict_with_scores(picture, GRID)
        if shares is None:
            raise UserError(f"{segmenter} gives labels only, no scores: watch another segmenter")
        view = View(condition, _array(picture), {segmenter: labels[0].cpu().numpy()})
        found.append((view, entropy(shares)[0].numpy()))
    return found


def _degraded(
    study: Study, scene: Scene, conditions: Sequence[str], device: str
) -> dict[str, Tensor]:
    """Return the scene, read once, under each condition, uint8 (1, 3, H, W) on a device."""
    from vlmis_utils.corruptions.corrupt import degrade as degrade_batch
    from vlmis_utils.corruptions.in_time import degrade_frames
    from vlmis_utils.datasets.cache import as_tensor
    from vlmis_utils.runner.in_time import in_time

    picture = as_tensor(scene.image())[None]
    how = {
        "scene_ids": [scene.scene_id], "device": device, "backend": study.corruption_backend,
        "seed": study.seed, "blur_scale": study.blur_scale, "noise_sigma": study.noise_sigma,
    }  # fmt: skip
    if not study.frames:
        return {c: degrade_batch(picture, c, **how) for c in conditions}
    when = [in_time(scene)]
    return {c: degrade_frames(picture, c, when, study.timing, **how) for c in conditions}


def _array(picture: Tensor) -> np.ndarray:
    """Return uint8 (1, 3, H, W) as an array (H, W, 3), as figures take it."""
    return picture[0].permute(1, 2, 0).contiguous().cpu().numpy()


def pick_changed_judgement(per_image: pd.DataFrame, vlm_per_image: pd.DataFrame) -> pd.Series:
    """Return the least change of segmentation that goes with a right judgement turned wrong.

    Only scenes with a safety-critical class count, unsafe ones first. Where no judgement turns
    wrong, the least change of all is returned, with ``turned`` False.

    Args:
        per_image: ``Results.segmentation_per_image()``.
        vlm_per_image: ``Results.vlm_per_image()``.

    Returns:
        vlm, segmenter, scene_id, condition, decision, clean_decision, safe, loss (of the image's
        mIoU, clean minus degraded), turned.
    """
    keys = ["segmenter", "scene_id"]
    clean = per_image[per_image.condition == "clean"].set_index(keys).miou
    spoilt = per_image[per_image.condition != "clean"].set_index(keys)
    loss = (clean.reindex(spoilt.index) - spoilt.miou).rename("loss").reset_index()
    loss["condition"] = spoilt.condition.to_numpy()
    judged = vlm_per_image[["vlm", "scene_id", "condition", "decision", "smr_i", "safe"]]
    first = judged[(judged.condition == "clean") & vlm_per_image.critical.map(bool)]
    first = first[["vlm", "scene_id", "decision", "smr_i"]].rename(
        columns={"decision": "clean_decision", "smr_i": "clean_smr_i"}
    )
    both = judged.merge(first).merge(loss, on=["scene_id", "condition"])
    both["turned"] = (both.clean_smr_i == 0) & (both.smr_i == 1)
    both = both.assign(size=both.loss.abs()).sort_values(
        ["turned", "safe", "size", "vlm", "segmenter", "scene_id"],
        ascending=[False, True, True, True, True, True],
    )
    return both.iloc[0]


def pick_story(
    per_image: pd.DataFrame, vlm_per_image: pd.DataFrame, writers: Iterable[str] = ()
) -> pd.Series:
    """Return the degraded image that shows most plainly how language fails, for the cover.

    Of all pairs of a clean and a degraded image of a scene, those come first in which a right
    judgement turns wrong in an unsafe scene; then those in which a critical class that was named
    is omitted; then those that hide no object wholly; then those of a VLM that writes; then those
    in which a class is invented; then the least loss of mIoU.

    Args:
        per_image: ``Results.segmentation_per_image()``.
        vlm_per_image: ``Results.vlm_per_image()``.
        writers: VLMs that answer in words.

    Returns:
        vlm, scene_id, condition (``clean`` where nothing is degraded), turned (whether a right
        judgement turned wrong), clean_miou, miou (of the image, mean over segmenters).
    """
    miou = per_image.groupby(["scene_id", "condition"]).miou.mean()
    seen = vlm_per_image[vlm_per_image.condition != "blank"]
    columns = ["vlm", "scene_id", "safe", "smr_i", "omitted", "hr_i"]
    clean = seen[seen.condition == "clean"][columns]
    spoilt = seen[seen.condition != "clean"] if (seen.condition != "clean").any() else seen
    both = spoilt.merge(clean, on=["vlm", "scene_id", "safe"], suffixes=("", "_clean"))
    both["miou"] = [miou[key] for key in zip(both.scene_id, both.condition, strict=True)]
    both["clean_miou"] = [miou[scene, "clean"] for scene in both.scene_id]
    both["turned"] = (both.smr_i_clean == 0) & (both.smr_i == 1)
    both["omits"] = (both.omitted_clean == 0) & (both.omitted == 1)
    both["invents"] = (both.hr_i_clean < both.hr_i) & (both.hr_i_clean < _NOTHING)
    both["whole"], both["writes"] = ~both.hidden.map(bool), both.vlm.isin(set(writers))
    both["alarming"], both["loss"] = both.turned & ~both.safe, both.clean_miou - both.miou
    wanted = ["alarming", "omits", "whole", "writes", "invents"]
    both = both.sort_values([*wanted, "loss", "vlm", "scene_id"],
                            ascending=[False] * len(wanted) + [True] * 3)  # fmt: skip
    return both.iloc[0][["vlm", "scene_id", "condition", "turned", "clean_miou", "miou"]]


def pick_crowded_scene(vlm_per_image: pd.DataFrame) -> str:
    """Return the unsafe scene with the most safety-critical classes, the first of several.

    The choice knows what is true of the scenes, and nothing of the answers.
    """
    clean = vlm_per_image[vlm_per_image.condition == "clean"].drop_duplicates("scene_id")
    rank = pd.DataFrame(
        {
            "scene_id": clean.scene_id,
            "unsafe": ~clean.safe.astype(bool),
            "critical": clean.critical.map(len),
            "present": clean.present.map(len),
        }
    )
    rank = rank.sort_values(
        ["unsafe", "critical", "present", "scene_id"], ascending=[False, False, False, True]
    )
    return str(rank.scene_id.iloc[0])

"""One scene looked at closely: its picture under each condition and what segmenters make of it.

Records hold counts, not label maps, so the pages that show masks predict them again, for one scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils.core.device import resolve_device
from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.registry import Scene, open_dataset
from vlmis_utils.protocol.models import find_model, load_catalogue

__all__ = ["View", "degrade", "find_scene", "look", "pick_crowded_scene", "pick_flip"]


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


def find_scene(
    dataset: str,
    data_root: str | Path | None,
    split: str,
    scenes: int,
    seed: int,
    scene_id: str,
    class_map: str | Path | None = None,
    image_size: Sequence[int] | None = None,
) -> Scene:
    """Return a scene of a study by its id.

    Raises:
        UserError: the study's scenes hold no such id.
    """
    options = {"split": split, "limit": scenes, "seed": seed, "class_map": class_map}
    options["image_size"] = image_size
    for scene in open_dataset(dataset, root=data_root, **options):
        if scene.scene_id == scene_id:
            return scene
    raise UserError(f"{dataset} has no scene {scene_id!r} among its first {scenes}: run the study")


def degrade(
    scene: Scene,
    conditions: Sequence[str],
    *,
    seed: int = 0,
    blur_scale: str = "absolute",
    noise_sigma: Sequence[float],
) -> list[View]:
    """Return the scene under each condition, the very pixels that the models of the study saw."""
    import torch

    from vlmis_utils.corruptions.corrupt import corrupt

    image = torch.from_numpy(np.ascontiguousarray(scene.image()).transpose(2, 0, 1).copy())[None]
    options = {"seed": seed, "blur_scale": blur_scale, "noise_sigma": noise_sigma}
    views = []
    for condition in conditions:
        spoilt = corrupt(image, condition, scene_ids=[scene.scene_id], **options)
        views.append(View(condition, spoilt[0].permute(1, 2, 0).numpy()))
    return views


def look(
    scene: Scene,
    conditions: Sequence[str],
    segmenters: Sequence[str],
    *,
    models: str | Path = "params/models.yaml",
    device: str = "auto",
    seed: int = 0,
    blur_scale: str = "absolute",
    noise_sigma: Sequence[float],
) -> list[View]:
    """Return the scene under each condition with the label map that each segmenter predicts."""
    import torch

    from vlmis_utils.models.segmentation.loading import load_segmenter

    views = degrade(scene, conditions, seed=seed, blur_scale=blur_scale, noise_sigma=noise_sigma)
    place = resolve_device(device)
    pictures = torch.from_numpy(np.stack([v.image for v in views]).transpose(0, 3, 1, 2).copy())
    catalogue = load_catalogue(models)
    for name in segmenters:
        segmenter = load_segmenter(find_model(catalogue, name, "segmenter"), place)
        for view, picture in zip(views, pictures, strict=True):
            mask = segmenter.predict(picture[None].to(place))
            view.masks[name] = mask[0].cpu().numpy()
    return views


def pick_flip(per_image: pd.DataFrame, vlm_per_image: pd.DataFrame) -> pd.Series:
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

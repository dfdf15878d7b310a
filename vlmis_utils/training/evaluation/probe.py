"""A linear probe: what logistic regression reads from a model's own vision tower.

It is fitted on training scenes, to the mean and the maximum over the tower's last map. A model that
answers worse than its probe has eyes that its words do not use.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.protocol.classes import OBJECT_CLASSES, PRESENCE_CLASSES, present_classes
from vlmis_utils.protocol.models import ModelEntry, checkpoint_path
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.evaluation.language import Said
from vlmis_utils.training.nets.pixels import normalise
from vlmis_utils.training.nets.qwen_model import MERGE, PATCH, patchify

__all__ = ["features", "fit_probe", "probe", "tower"]

# Inverse strengths of the penalty to choose from.
_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)


def tower(entry: ModelEntry) -> Callable[[Tensor], Tensor]:
    """Return a map from normalised images (B, 3, H, W) to the tower's last map (B, C, cells).

    Args:
        entry: of an embedded vision-language model.
    """
    folder = Path(checkpoint_path(entry) or entry.checkpoint)
    if entry.library == "open_clip":
        import open_clip

        model, _ = open_clip.create_model_from_pretrained(f"local-dir:{folder}", precision="fp32")
        trunk = model.eval().visual.trunk
        return lambda images: trunk.forward_features(images).flatten(2)
    from transformers import AutoModelForImageTextToText

    loaded = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()

    def see(images: Tensor) -> Tensor:
        count, _, height, width = images.shape
        grid = torch.tensor([[1, height // PATCH, width // PATCH]] * count)
        out = loaded.model.visual(patchify(images), grid_thw=grid).pooler_output
        cells = height // PATCH // MERGE * (width // PATCH // MERGE)
        return out.view(count, cells, -1).transpose(1, 2)

    return see


@torch.inference_mode()
def features(see: Callable[[Tensor], Tensor], images: np.ndarray, batch: int = 16) -> np.ndarray:
    """Return the mean and the maximum of the tower's map, float32 (N, 2 C).

    Args:
        see: of `tower`.
        images: uint8 (N, H, W, 3).
    """
    rows = []
    for start in range(0, len(images), batch):
        part = torch.from_numpy(np.array(images[start : start + batch])).permute(0, 3, 1, 2)
        cells = see(normalise(part))
        rows.append(torch.cat([cells.mean(-1), cells.amax(-1)], 1))
    return torch.cat(rows).float().numpy()


def fit_probe(train: np.ndarray, truth: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the probability of each property of test scenes, float64 (M, T).

    Logistic regression on standardised features; the penalty with the best AUC on a third of
    the training scenes, held out for it. A property that all or no training scenes have gets their
    share.

    Args:
        train: features (N, K).
        truth: bool (N, T).
        test: features (M, K).
    """
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import StratifiedShuffleSplit
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = np.empty((len(test), truth.shape[1]))
    for column in range(truth.shape[1]):
        target = truth[:, column]
        if min(target.sum(), (~target).sum()) < 3:
            found[:, column] = target.mean()
            continue
        logistic = LogisticRegressionCV(
            Cs=_STRENGTHS, cv=StratifiedShuffleSplit(1, test_size=1 / 3, random_state=0),
            scoring="roc_auc", max_iter=200, l1_ratios=(0.0,), use_legacy_attributes=False,
        )  # fmt: skip
        model = make_pipeline(StandardScaler(), logistic).fit(train, target)
        found[:, column] = model.predict_proba(test)[:, 1]
    return found


def probe(entry: ModelEntry, train: TrainingData, test: TrainingData) -> Said:
    """Return what the probe says of test scenes.

    It says yes where the probability is above the share of training scenes with a yes; a
    contrastive model's probe mentions the likeliest K classes, as the model does, a generative
    one's those that are likelier there than not.

    Args:
        entry: whose tower.
        train: scenes to fit it to.
        test: scenes to say something of.
    """
    see, size = tower(entry), train.labels[0].size
    present = [present_classes(counts, size) for counts in train.counts]
    truth = np.array([[c in p for c in OBJECT_CLASSES] for p in present])
    truth = np.concatenate([truth, np.asarray(train.safe, bool)[:, None]], axis=1)
    share = truth.mean(axis=0)
    found = fit_probe(features(see, train.images), truth, features(see, test.images))
    if entry.library == "open_clip":
        order = np.argsort(-found[:, :-1], axis=1, kind="stable")[:, : Reading().top_k]
        named = [frozenset(OBJECT_CLASSES[i] for i in row) for row in order]
    else:
        named = [frozenset(np.array(OBJECT_CLASSES)[row]) for row in found[:, :-1] > 0.5]
    columns = [OBJECT_CLASSES.index(c) for c in PRESENCE_CLASSES]
    return Said(
        mentioned=named,
        presence=(found > share)[:, columns].astype(float),
        score=found[:, columns],
        safe=(found > share)[:, -1].astype(float),
        safe_score=found[:, -1],
    )

"""Model cards in the hub's format, a README.md beside each checkpoint.

``python -m vlmis_utils.training.evaluation.cards`` writes them from the recipes, the logs and the
numbers of the evaluation; nothing in them is typed. A card is no part of a checkpoint's digest.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from vlmis_utils.core.errors import UserError
from vlmis_utils.core.formatting import estimate, number
from vlmis_utils.core.io import write_atomically
from vlmis_utils.models.checkpoints import count_parameters
from vlmis_utils.protocol.models import ModelEntry, load_catalogue
from vlmis_utils.training.data import SCENES
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.evaluation.goals import judge
from vlmis_utils.training.recipes.facts import LOGS, costs, recipe
from vlmis_utils.training.weights import CHECKPOINTS, MODELS

__all__ = ["card", "main", "write_cards"]

_TASKS: dict[str, tuple[str, str]] = {
    "deeplabv3plus": ("image-segmentation", "Image segmentation"),
    "segformer": ("image-segmentation", "Image segmentation"),
    "mask2former": ("image-segmentation", "Image segmentation"),
    "clip": ("zero-shot-image-classification", "Zero-shot image classification"),
    "siglip": ("zero-shot-image-classification", "Zero-shot image classification"),
    "qwen2-vl": ("image-text-to-text", "Image text to text"),
}
# What the hub calls the library that loads a checkpoint.
_LIBRARIES = {
    "deeplabv3plus": "vlmis",
    "transformers-semantic": "transformers",
    "transformers-universal": "transformers",
    "open_clip": "open_clip",
    "transformers-vlm": "transformers",
}
_IMPORTS = {
    "deeplabv3plus": "from vlmis_utils.models.segmentation.deeplab import DeepLabV3Plus",
    "transformers-semantic": "from transformers import AutoImageProcessor,"
    " AutoModelForSemanticSegmentation",
    "transformers-universal": "from transformers import AutoImageProcessor,"
    " AutoModelForUniversalSegmentation",
    "open_clip": "import open_clip",
    "transformers-vlm": "from transformers import AutoModelForImageTextToText, AutoProcessor",
}
_LOADING = {
    "deeplabv3plus": "model = DeepLabV3Plus.from_pretrained(folder)",
    "transformers-semantic": "processor = AutoImageProcessor.from_pretrained(folder)\n"
    "model = AutoModelForSemanticSegmentation.from_pretrained(folder)",
    "transformers-universal": "processor = AutoImageProcessor.from_pretrained(folder)\n"
    "model = AutoModelForUniversalSegmentation.from_pretrained(folder)",
    "open_clip": 'source = f"local-dir:{folder}"\n'
    "model, preprocess = open_clip.create_model_from_pretrained(source)\n"
    "tokenize = open_clip.get_tokenizer(source)",
    "transformers-vlm": "processor = AutoProcessor.from_pretrained(folder)\n"
    "model = AutoModelForImageTextToText.from_pretrained(folder)",
}


def _loading(library: str, folder: str) -> str:
    return f'{_IMPORTS[library]}\n\nfolder = "{folder}"\n{_LOADING[library]}'


def card(
    entry: ModelEntry,
    clean: pd.DataFrame,
    baselines: pd.DataFrame,
    logs: str | Path = LOGS,
) -> str:
    """Return the card of a checkpoint: YAML front matter with a model index, then Markdown.

    Args:
        entry: of the embedded model.
        clean, baselines: rows of ``clean.csv`` and ``baselines.csv``; the model's own are used.
        logs: of training.

    Raises:
        UserError: the model was not measured.
    """
    clean, baselines = (frame[frame.model == entry.name] for frame in (clean, baselines))
    if clean.empty:
        raise UserError(f"no numbers of {entry.name}: run `make quality`")
    return f"---\n{_front(entry, clean)}\n---\n\n{_body(entry, clean, baselines, logs)}"


def _front(entry: ModelEntry, clean: pd.DataFrame) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    tag, task = _TASKS[entry.name]
    results = [
        EvalResult(
            task_type=tag,
            task_name=task,
            dataset_type="streetworld",
            dataset_name=f"StreetWorld, clean held-out scenes ({clean.scenes.iloc[0]})",
            metric_type=row.measure.lower().replace(" ", "-"),
            metric_name=row.measure,
            metric_value=float(row.value),
        )
        for row in clean[clean["class"] == ""].dropna(subset=["low"]).itertuples()
    ]
    data = ModelCardData(
        language="en",
        license=(entry.licence or "mit").lower(),
        library_name=_LIBRARIES[entry.library],
        pipeline_tag=tag,
        tags=["streetworld", "synthetic", "driving", "small", entry.name],
        metrics=list(dict.fromkeys(result.metric_type for result in results)),
        model_name=entry.shown,
        eval_results=results,
    )
    return data.to_yaml()


def _body(entry: ModelEntry, clean: pd.DataFrame, baselines: pd.DataFrame, logs: str | Path) -> str:
    folder, spent = CHECKPOINTS / entry.name, costs(logs)
    spent = spent[spent.model == entry.name]
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6
    shown = f"vlmis_utils/training/checkpoints/{entry.name}"
    parts = [
        f"# {entry.shown}",
        f"A model of {count_parameters(folder) / 1e6:.1f} million parameters ({size:.1f} MB, half"
        f" precision) with the architecture of {entry.label} and the file format of its library,"
        " trained from scratch on clean scenes of StreetWorld, a procedural world of street scenes"
        " at 256 x 512 pixels. It is part of a study of what degraded pictures do to perception and"
        " to language.",
        "## What it is for, and what not",
        "For that study, for teaching and for tests of code. It knows one synthetic world and"
        " nothing else: it is no public checkpoint of its namesake, tells nothing about that one's"
        " quality, and must not be used on real streets. It never saw a degraded picture: no"
        " augmentation imitates low light, motion blur or occlusion.",
        "## Loading",
        f"```python\n{_loading(entry.library, shown)}\n```",
        "## Training",
        f"Up to {SCENES} scenes of the split train, clean; labels, captions and questions come"
        " from the world's own truth.",
        "\n".join(f"- {line}" for line in recipe(entry.name)),
        _table(
            ["stage", "optimiser steps", "wall minutes"],
            [[r.stage, str(r.steps), f"{r.minutes:.0f}"] for r in spent.itertuples()],
        ),
        "`make weights` trains it again from nothing.",
        "## Evaluation",
        f"On {clean.scenes.iloc[0]}: clean scenes of a world that neither training nor the book's"
        " study uses; 95 % intervals over scenes. Checkpoint "
        f"`{clean.digest.iloc[0]}`.",
        _table(["measure", "class", "value"], [_row(r) for r in clean.to_dict("records")]),
        "Against what was to be reached:",
        _table(
            ["measure", "value", "goal", "floor", "verdict"],
            [
                [
                    r["measure"] + (f", least: {r['class']}" if r["several"] else ""),
                    number(r["value"]), number(r["goal"]), number(r["floor"]), r["verdict"],
                ]
                for r in judge(clean).to_dict("records")
            ],
        ),
        "Against answers that never look at the picture, and a linear probe of its own vision"
        " tower where it has words (difference: the model minus the baseline):",
        _table(
            ["baseline", "measure", "value", "difference"],
            [
                [r.baseline, r.measure, number(r.value),
                 estimate(r.difference, r.difference_low, r.difference_high, sign=True)]
                for r in baselines.itertuples()
            ],
        ),
        "## Licence",
        f"{entry.licence}, as the code that made it and the scenes that it was trained on.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _row(row: dict) -> list[str]:
    return [row["measure"], row["class"] or "all", estimate(row["value"], row["low"], row["high"])]


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_cards(
    names: Sequence[str] = MODELS,
    checkpoints: str | Path = CHECKPOINTS,
    quality: str | Path = store.FOLDER,
) -> list[Path]:
    """Write the cards of those models that were measured, and return their files."""
    known = load_catalogue()
    clean, baselines = (store.read(f"{name}.csv", quality) for name in ("clean", "baselines"))
    written = []
    for name in names:
        if name in set(clean.model):
            path = Path(checkpoints) / name / "README.md"
            write_atomically(path, card(known[name], clean, baselines).encode())
            written.append(path)
    return written


def main(argv: Sequence[str] | None = None) -> int:
    """Write all cards, and return the exit code."""
    argparse.ArgumentParser(
        "python -m vlmis_utils.training.evaluation.cards", None, __doc__
    ).parse_args(argv)
    for path in write_cards():
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

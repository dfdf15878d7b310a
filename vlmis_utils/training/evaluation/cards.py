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
from vlmis_utils.protocol.models import ModelEntry, checkpoint_path, load_catalogue
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.evaluation.card_texts import TEXTS, CardText
from vlmis_utils.training.evaluation.goals import judge
from vlmis_utils.training.recipes.facts import STAGES, costs, recipe
from vlmis_utils.training.weights import DATA, MODELS

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
    logs: str | Path | None = None,
    data: str = "streetworld",
) -> str:
    """Return the card of a checkpoint: YAML front matter with a model index, then Markdown.

    Args:
        entry: of the embedded model.
        clean, baselines: rows of ``clean.csv`` and ``baselines.csv``; the model's own are used.
        logs: of training; by default those in the package.
        data: what it was trained on, a key of `card_texts.TEXTS`.

    Raises:
        UserError: the model was not measured.
    """
    text = TEXTS[data]
    name = entry.name.removesuffix(text.suffix)
    clean, baselines = (frame[frame.model == name] for frame in (clean, baselines))
    if clean.empty:
        raise UserError(f"no numbers of {entry.name}: run `make quality`")
    spent = costs(logs or DATA[data].parent / "logs")
    spent = spent[spent.model == name]
    lines = recipe(name, data)
    body = _body(entry, text, clean, baselines, spent, lines)
    return f"---\n{_front(entry, text, clean)}\n---\n\n{body}"


def _front(entry: ModelEntry, text: CardText, clean: pd.DataFrame) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    tag, task = _TASKS[entry.name.removesuffix(text.suffix)]
    results = [
        EvalResult(
            task_type=tag,
            task_name=task,
            dataset_type=text.dataset,
            dataset_name=f"{text.shown} ({clean.scenes.iloc[0]})",
            metric_type=row.measure.lower().replace(" ", "-"),
            metric_name=row.measure,
            metric_value=float(row.value),
        )
        for row in clean[clean["class"] == ""].dropna(subset=["low"]).itertuples()
    ]
    data = ModelCardData(
        language="en",
        license="other" if text.licence_name else (entry.licence or "mit").lower(),
        license_name=text.licence_name or None,
        license_link=text.licence_link or None,
        library_name=_LIBRARIES[entry.library],
        pipeline_tag=tag,
        tags=[*text.tags, entry.name.removesuffix(text.suffix)],
        metrics=list(dict.fromkeys(result.metric_type for result in results)),
        model_name=entry.shown,
        eval_results=results,
    )
    return data.to_yaml()


def _body(
    entry: ModelEntry,
    text: CardText,
    clean: pd.DataFrame,
    baselines: pd.DataFrame,
    spent: pd.DataFrame,
    recipe_lines: list[str],
) -> str:
    folder = Path(checkpoint_path(entry) or entry.checkpoint)
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6
    parts = [
        f"# {entry.shown}",
        f"A model of {count_parameters(folder) / 1e6:.1f} million parameters ({size:.1f} MB, half"
        f" precision) with the architecture of {entry.label} and the file format of its library,"
        f" {text.made} It is part of a study of what degraded pictures do to perception and to"
        " language.",
        "## What it is for, and what not",
        f"{text.purpose} It never saw a degraded picture: no augmentation imitates low light,"
        " motion blur or occlusion.",
        "## Loading",
        f"```python\n{_loading(entry.library, entry.checkpoint)}\n```",
        "## Training",
        text.training,
        "\n".join(f"- {line}" for line in recipe_lines),
        _table(
            ["stage", "optimiser steps", "wall minutes"],
            [[r.stage, str(r.steps), f"{r.minutes:.0f}"] for r in spent.itertuples()],
        ),
        *_unreached(entry.name.removesuffix(text.suffix), spent),
        text.command,
        "## Evaluation",
        f"On {clean.scenes.iloc[0]}: {text.evaluation}; 95 % intervals over scenes. Checkpoint"
        f" `{clean.digest.iloc[0]}`.",
        _table(["measure", "class", "value"], [_row(r) for r in clean.to_dict("records")]),
        "Against what was to be reached:",
        _table(
            ["measure", "value", "goal", "floor", "verdict"],
            [
                [
                    r["measure"] + (f", least: {r['class']}" if r["several"] else ""),
                    number(r["value"]), number(r["goal"]), number(r["floor"]), r["verdict"],
                ]
                for r in judge(clean, text.goals).to_dict("records")
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
        f"{entry.licence}{', ' if text.licence.startswith('as') else '. '}{text.licence}",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _unreached(name: str, spent: pd.DataFrame) -> list[str]:
    missing = [stage for stage, _ in STAGES[name] if stage not in set(spent.stage)]
    return [f"Not reached in this training: {', '.join(missing)}."] if missing else []


def _row(row: dict) -> list[str]:
    if row["measure"].startswith("scenes"):
        return [row["measure"], row["class"], f"{row['value']:.0f}"]
    return [row["measure"], row["class"] or "all", estimate(row["value"], row["low"], row["high"])]


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_cards(
    names: Sequence[str] = MODELS,
    checkpoints: str | Path | None = None,
    quality: str | Path | None = None,
    data: str = "streetworld",
) -> list[Path]:
    """Write the cards of those models that were measured, and return their files.

    Args:
        names: of `MODELS`.
        checkpoints, quality: folders; by default those in the package.
        data: what they were trained on.
    """
    known, text = load_catalogue(), TEXTS[data]
    checkpoints = checkpoints or DATA[data]
    quality = quality or DATA[data].parent / store.FOLDER.name
    clean, baselines = (store.read(f"{name}.csv", quality) for name in ("clean", "baselines"))
    written = []
    for name in names:
        if name in set(clean.model):
            path = Path(checkpoints) / name / "README.md"
            made = card(known[name + text.suffix], clean, baselines, data=data)
            write_atomically(path, made.encode())
            written.append(path)
    return written


def main(argv: Sequence[str] | None = None) -> int:
    """Write all cards, and return the exit code."""
    argparse.ArgumentParser(
        "python -m vlmis_utils.training.evaluation.cards", None, __doc__
    ).parse_args(argv)
    for data in TEXTS:
        for path in write_cards(data=data):
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The cover: what a model said of one scene, clean and degraded, and three findings of the run."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis import changes, correlation
from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.core.formatting import capital, listing, number, percent, value_range, verbatim
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.report.tables.models import load_models
from vlmis_utils.report.text.scenes import dataset_words
from vlmis_utils.report.words import condition_words

__all__ = ["findings", "omission", "proxy", "run_words", "safety", "said"]

_LONGEST = 220  # characters of an answer that a card quotes


def findings(results: Results, labels: Mapping[str, str]) -> list[str]:
    """Return the three findings of the cover, each a plain sentence, its numbers, and a link.

    Args:
        results: of the run.
        labels: model -> name.
    """
    smr = {"smr": "smr_i"}
    by_condition = results.vlm_by_condition()
    seen = by_condition[by_condition.condition != BLANK]
    hardest = seen.groupby("condition").smr.mean().idxmax()
    safe = results.scenes.safe.mean()
    return [
        omission(seen, changes.misalignment_changes(results), labels),
        safety(seen, changes.above_constant(results, hardest), hardest, safe, labels),
        proxy(correlation.correlations(results, ("conditions", "between"), smr, ("spearman",))),
    ]


def omission(seen: pd.DataFrame, moved: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return how much more often a critical object is left out in the worst degraded condition.

    Args:
        seen: ``Results.vlm_by_condition()`` without the control arm.
        moved: from `analysis.changes.misalignment_changes`.
        labels: model -> name.
    """
    link = "{ref}`All rates <vlm-results>`."
    rows = moved[(moved.metric == "cor") & (moved.condition != BLANK)].dropna(subset=["delta"])
    if rows.empty:
        clean = seen.groupby("vlm", sort=False).cor.mean()
        return (
            "**What the models leave out.** A safety-critical object of the scene is missing in "
            f"{_shares(clean)} of the descriptions. No image of this run is degraded. {link}"
        )
    worst = rows.loc[rows.low.fillna(rows.delta).idxmax()]
    rates = seen[seen.vlm == worst.vlm].set_index("condition").cor
    start = "**Degraded images make the models leave out what matters.**"
    if not worst.low > 0:
        start = "**No model clearly leaves out more when images are degraded.**"
    return (
        f"{start} With {condition_words(worst.condition)}, {labels.get(worst.vlm, worst.vlm)} does "
        "not mention some safety-critical object of the scene, such as a pedestrian, in "
        f"{percent(rates[worst.condition])} of the images; on clean ones in "
        f"{percent(rates['clean'])} ({_interval(worst)}). {link}"
    )


def safety(
    seen: pd.DataFrame, above: pd.DataFrame, hardest: str, safe: float, labels: Mapping[str, str]
) -> str:
    """Return what the answers to "is it safe?" are worth, against always giving the same answer.

    Args:
        seen: ``Results.vlm_by_condition()`` without the control arm.
        above: from `analysis.changes.above_constant`, under the condition ``hardest``.
        hardest: the condition with the highest mean SMR.
        safe: share of safe scenes.
        labels: model -> name.
    """
    rows = above[above.measure == "smr"]
    better = [labels.get(r.vlm, r.vlm) for r in rows.itertuples() if r.low > 0]
    where = "these" if hardest == "clean" else "the hardest"
    if not better:
        start = f"On {where} images, the models judge safety no better than a fixed answer"
    elif len(better) == len(rows):
        start = f"Even on {where} images, the models judge safety better than a fixed answer"
    else:
        start = f"On {where} images, a fixed answer is beaten only by {listing(better)}"
    rates = {c: group.smr for c, group in seen.groupby("condition")}
    wrong = f"{_shares(rates['clean'])} of the clean images"
    if hardest != "clean":
        wrong += f", and about {_shares(rates[hardest])} with {condition_words(hardest)}"
    word = "safe" if safe >= 0.5 else "unsafe"
    return (
        f"**{start}.** Whoever always says “{word}” is wrong about {percent(min(safe, 1 - safe))} "
        f"of the scenes. The models are wrong or undecided about {wrong}; there the 95 % interval "
        f"of the gain over the fixed answer lies above zero for {len(better)} of {len(rows)} "
        "models. {ref}`How the wrong answers split <vlm-results>`."
    )


def proxy(found: pd.DataFrame) -> str:
    """Return whether mIoU tells when safety is misjudged: over conditions, and image by image.

    Args:
        found: from `analysis.correlation.correlations`: Spearman's, of SMR, over conditions and
            between scenes.
    """
    link = "{ref}`What a correlation is over <review-levels>`."
    over, between = (found[found.over == o].dropna(subset="r") for o in ("conditions", "between"))
    if over.empty or between.empty:
        return (
            "**Does mIoU tell when safety is misjudged?** This run has too few conditions or "
            f"scenes to say. {link}"
        )
    average, single = ((part.high < 0).mean() > 0.5 for part in (over, between))
    start = {
        (True, True): "mIoU tells which conditions are dangerous, and which images are",
        (True, False): "mIoU tells which conditions are dangerous, but not which image is",
        (False, True): "mIoU tells which images are misjudged, but not which conditions are worse",
        (False, False): "mIoU tells neither which conditions are dangerous nor which image is",
    }[average, single]
    return (
        f"**{start}.** Where a low mIoU warns of misjudged safety, their rank "
        f"correlation is near −1. Over the averages of the conditions it is {_correlation(over)}; "
        f"among the images of one condition it is {_correlation(between)}. {link}"
    )


def said(results: Results, story: pd.Series, condition: str) -> str:
    """Return the card of one image: what a model said, and what is right and wrong in it.

    Args:
        results: of the run.
        story: from `analysis.examples.pick_story`.
        condition: of the image.
    """

    def one(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[(frame.vlm == story.vlm) & (frame.scene_id == story.scene_id)
                     & (frame.condition == condition)]  # fmt: skip

    row = one(results.vlm_per_image()).iloc[0]
    texts = one(results.answers).set_index("prompt").text
    quotes = [_quote(texts.get(prompt)) for prompt in ("describe", "safety")]
    left, invented = (
        sorted(s) for s in (row.critical - row.mentioned, row.mentioned - row.present)
    )
    truth = "safe" if row.safe else "unsafe"
    judged = {"abstain": "does not decide"}.get(row.decision, f"judges it {row.decision}")
    facts = [
        (not left, f"leaves out: {listing(left)}" if left else "leaves out nothing critical"),
        (not invented, f"invents: {listing(invented)}" if invented else "invents nothing"),
        (not row.smr_i, judged if not row.smr_i else f"{judged}, but it is {truth}"),
    ]
    marks = "\n".join(f"- [{words}]{{.{'right' if good else 'false'}}}" for good, words in facts)
    body = "\n\n".join(q for q in quotes if q) or f"names {listing(sorted(row.mentioned))}"
    title = condition_words(condition)
    return f":::{{grid-item-card}} {capital(title)}\n{body}\n\n{marks}\n:::"


def run_words(
    results: Results, catalogue: Mapping[str, ModelEntry], labels: Mapping[str, str]
) -> str:
    """Return in a line what the run is: scenes, conditions, models with their sizes, answers."""
    names = {
        "segmenters": results.segmentation.segmenter.unique(),
        "VLMs": results.answers.vlm.unique(),
    }
    models = {
        kind: listing(
            labels.get(row.name, row.name)
            + (f" ({row.parameters} parameters)" if row.parameters != "–" else "")
            for row in load_models(catalogue, known).assign(name=known).itertuples()
        )
        for kind, known in names.items()
    }
    conditions = [c for c in results.conditions.condition.unique() if c != BLANK]
    parts = [dataset_words(results.scenes), f"{len(conditions)} conditions"]
    parts += [f"{len(names[kind])} {kind}, {words}" for kind, words in models.items()]
    return "; ".join([*parts, f"{len(results.answers):,} recorded answers"])


def _quote(text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        return ""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST].rsplit(' ', 1)[0]} …"
    return f"“{verbatim(short)}”"


def _shares(rates: pd.Series) -> str:
    return " to ".join(dict.fromkeys((percent(rates.min()), percent(rates.max()))))


def _interval(row: pd.Series) -> str:
    change = f"difference {number(row.delta, sign=True)}"
    if pd.isna(row.low):
        return change
    return f"{change}, 95 % interval {number(row.low, sign=True)} to {number(row.high, sign=True)}"


def _correlation(rows: pd.DataFrame) -> str:
    below = f"95 % interval below zero for {(rows.high < 0).sum()} of {len(rows)} pairs of models"
    return f"{value_range(rows.r)} ({below})"

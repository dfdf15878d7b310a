"""Tables of language: each ``load_`` takes frames of `Results` and returns finished cells.

Where the paper printed a value, it stands in the same cell, marked as such.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.core.formatting import p_value, verbatim
from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.protocol.conditions import CONDITION_NAMES, ordered
from vlmis_utils.report.tables.markdown import Column, cells, crossed, in_order
from vlmis_utils.report.words import METRICS

__all__ = [
    "load_controls", "load_correlations", "load_misalignment", "load_parsers", "load_presence",
    "load_quotes", "load_smr_split", "load_visible",
]  # fmt: skip


def load_misalignment(by_condition: pd.DataFrame, vlm: str) -> pd.DataFrame:
    """Return Table 4, 5 or 6: HR, COR, SMR and parse success of one VLM by condition.

    With intervals, printed values, and what the paper lacks: COR among the images that hold a
    critical class, mentions an answer, and coverage. The blank arm is the last row.
    """
    rows = in_order(by_condition[by_condition.vlm == vlm])
    rows = tables.beside(rows, "vlm", tables.load_tables456())
    return cells(
        rows,
        Column("condition", "condition", words={"blank": CONDITION_NAMES["blank"]}),
        *(Column(w, m, interval=True, paper=f"{m}_paper") for m, w in METRICS.items()),
        Column("parsed", "parse_success", paper="parse_success_paper"),
        Column("COR if critical", "cor_conditional"),
        Column("mentions", "mentions", digits=1),
        Column("coverage", "coverage"),
    )


def load_controls(
    by_condition: pd.DataFrame, baselines: pd.DataFrame, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return what answers score without seeing: constants, blank images; clean ones beside."""
    parts = [baselines.assign(answer=baselines.baseline)]
    for condition, words in (("blank", "blank image"), ("clean", "clean image")):
        rows = by_condition[by_condition.condition == condition]
        parts.append(rows.assign(answer=[f"{labels.get(v, v)}, {words}" for v in rows.vlm]))
    return cells(
        pd.concat(parts),
        Column("answer", "answer"),
        *(Column(words, metric, interval=True) for metric, words in METRICS.items()),
        Column("F1", "f1"),
        Column("coverage", "coverage"),
    )


def load_smr_split(by_condition: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return SMR in its three parts by VLM and condition, and the share of declined answers."""
    return cells(
        in_order(by_condition, "vlm"),
        Column("model", "vlm", words=labels),
        Column("condition", "condition"),
        Column("SMR", "smr"),
        Column("said safe, is unsafe", "false_safe"),
        Column("said unsafe, is safe", "false_alarm"),
        Column("no decision", "abstained"),
        Column("of these declined", "declined"),
        Column("balanced accuracy", "safety_balanced_accuracy"),
    )


def load_visible(by_condition: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return HR and COR under occlusion, with and without the objects that nobody could see."""
    return cells(
        by_condition[by_condition.condition.str.startswith("OCC")],
        Column("model", "vlm", words=labels),
        Column("condition", "condition"),
        Column("HR", "hr"),
        Column("HR, visible only", "hr_visible"),
        Column("COR", "cor"),
        Column("COR, visible only", "cor_visible"),
    )


def load_parsers(scoped: pd.DataFrame, keyword: pd.DataFrame, vlm: str) -> pd.DataFrame:
    """Return HR and COR of one VLM read by the scoped parser and by the plain keyword rule."""
    read = {"scoped": scoped, "keyword": keyword}
    both = pd.concat([f[f.vlm == vlm].assign(rule=rule) for rule, f in read.items()])
    both = in_order(both)
    parts = [
        crossed(both, [Column("condition", "condition")], "rule", Column("", m, interval=True),
                words={rule: f"{METRICS[m]}, {rule}" for rule in read})
        for m in ("hr", "cor")
    ]  # fmt: skip
    return parts[0].merge(parts[1])


def load_presence(presence: pd.DataFrame, labels: Mapping[str, str], value: str) -> pd.DataFrame:
    """Return one presence measure on clean images by class and VLM, and its mean."""
    clean = presence[presence.condition == "clean"]
    counts = clean.drop_duplicates("class").set_index("class")
    seen = {name: f"{row.positives} of {row.n}" for name, row in counts.iterrows()}
    means = clean.groupby("vlm", sort=False)[value].mean().reset_index()
    rows = pd.concat([clean, means.assign(**{"class": "**mean**"})])
    rows = rows.assign(seen=[seen.get(name, "") for name in rows["class"]])
    lead = [Column("class", "class"), Column("scenes with it", "seen")]
    return crossed(rows, lead, "vlm", Column("", value), words=labels)


def load_quotes(
    answers: pd.DataFrame, judged: pd.DataFrame, presence: pd.DataFrame, vlm: str, scene_id: str
) -> pd.DataFrame:
    """Return what one VLM said of one scene under each condition, failures marked.

    Args:
        answers: table ``answers`` of the records.
        judged: ``Results.vlm_per_image()``.
        presence: ``Results.presence_answers()``.
        vlm, scene_id: which.

    Returns:
        condition; description (words and classes read, or the Top-K); classes answered with yes;
        the safety answer. Classes that are not there are bold, a wrong decision is struck out.
    """
    said = answers[(answers.vlm == vlm) & (answers.scene_id == scene_id)]
    texts = {(r.condition, r.prompt): r.text for r in said.itertuples() if isinstance(r.text, str)}
    mine = judged[(judged.vlm == vlm) & (judged.scene_id == scene_id)].set_index("condition")
    asked = presence[(presence.vlm == vlm) & (presence.scene_id == scene_id)]
    lines = []
    for condition in ordered(mine.index):
        row = mine.loc[condition]
        named = [c for c in OBJECT_CLASSES if c in row.mentioned]
        listed = ", ".join(c if c in row.present else f"**{c}**" for c in named) or "nothing"
        words = texts.get((condition, "describe"))
        yes = asked[(asked.condition == condition) & (asked.word == "yes")]
        found = ", ".join(
            name if real else f"**{name}**"
            for name, real in zip(yes["class"], yes.truth, strict=True)
        )
        verdict = {"abstain": "no decision"}.get(row.decision, row.decision)
        verdict = f"[{verdict}]{{.wrong}}" if row.smr_i else verdict
        spoken = texts.get((condition, "safety"))
        lines.append(
            {
                "condition": condition,
                "description": f"“{verbatim(words)}” ({listed})" if words is not None else listed,
                "answered yes": found or "nothing",
                "safe to proceed?": verdict
                if spoken is None
                else f"“{verbatim(spoken)}” ({verdict})",
            }
        )
    return pd.DataFrame(lines)


def load_correlations(
    frame: pd.DataFrame, labels: Mapping[str, str], over: str, paper: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return Pearson and Spearman coefficients with n, interval and p.

    Args:
        frame: from `analysis.correlation.correlations`.
        over: conditions or images.
        paper: the same columns computed from the printed tables, or None.
    """
    keys = ["segmenter", "vlm", "metric", "method"]
    rows = frame[frame.over == over].assign(printed=float("nan"))
    if paper is not None:
        printed = paper[[*keys, "r"]].rename(columns={"r": "printed"})
        rows = rows.drop(columns="printed").merge(printed, "left", keys)
    rows = rows.sort_values("metric", key=lambda m: m.map(list(METRICS).index), kind="stable")
    shown = [Column("", "r", interval=("low", "high"), paper="printed")]
    if over == "conditions":
        shown.append(Column(" p", "p", form=p_value))
    lead = [
        Column("metric", "metric", words=METRICS), Column("VLM", "vlm", words=labels),
        Column("segmenter", "segmenter", words=labels), Column("n", "n"),
    ]  # fmt: skip
    return crossed(rows, lead, "method", *shown,
                   words={"pearson": "Pearson", "spearman": "Spearman"})  # fmt: skip

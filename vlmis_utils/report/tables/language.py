"""Tables of language: each ``load_`` takes frames of `Results` and returns finished cells.

Where the paper printed a value, it stands in the same cell, marked as such.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.core.formatting import number, verbatim
from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.protocol.conditions import CONDITION_NAMES, ordered
from vlmis_utils.report.tables.markdown import beside

__all__ = [
    "load_controls", "load_correlations", "load_misalignment", "load_parsers", "load_presence",
    "load_quotes", "load_smr_split", "load_visible",
]  # fmt: skip


def load_misalignment(by_condition: pd.DataFrame, vlm: str) -> pd.DataFrame:
    """Return Table 4, 5 or 6: HR, COR, SMR and parse success of one VLM by condition.

    With intervals, printed values, and what the paper lacks: COR among the images that hold a
    critical class, mentions an answer, and coverage. The blank arm is the last row.
    """
    paper = tables.load_tables456().set_index(["vlm", "condition"])
    rows = by_condition[by_condition.vlm == vlm].set_index("condition")
    cells = []
    for condition in ordered(rows.index):
        row = rows.loc[condition]
        printed = paper.loc[(vlm, condition)] if (vlm, condition) in paper.index else {}
        line = {"condition": CONDITION_NAMES[condition] if condition == "blank" else condition}
        for metric in ("hr", "cor", "smr"):
            line[metric.upper()] = beside(
                row[metric], row[f"{metric}_low"], row[f"{metric}_high"], printed.get(metric)
            )
        line["parsed"] = beside(row.parse_success, paper=printed.get("parse_success"))
        line["COR if critical"] = number(row.cor_conditional)
        line["mentions"] = number(row.mentions, 1)
        line["coverage"] = number(row.coverage)
        cells.append(line)
    return pd.DataFrame(cells)


def load_controls(
    by_condition: pd.DataFrame, baselines: pd.DataFrame, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return what answers score without seeing: constants, blank images; clean ones beside."""
    lines = []
    for row in baselines.itertuples():
        lines.append((row.baseline, row))
    for condition, words in (("blank", "blank image"), ("clean", "clean image")):
        for row in by_condition[by_condition.condition == condition].itertuples():
            lines.append((f"{labels.get(row.vlm, row.vlm)}, {words}", row))
    columns = {"HR": "hr", "COR": "cor", "SMR": "smr"}
    table = {"answer": [words for words, _ in lines]}
    for head, column in columns.items():
        table[head] = [
            beside(getattr(r, column), getattr(r, f"{column}_low"), getattr(r, f"{column}_high"))
            for _, r in lines
        ]
    table["F1"] = [number(r.f1) for _, r in lines]
    table["coverage"] = [number(r.coverage) for _, r in lines]
    return pd.DataFrame(table)


def load_smr_split(by_condition: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return SMR in its three parts by VLM and condition, and the share of declined answers."""
    rows = by_condition.assign(order=by_condition.condition.map(list(CONDITION_NAMES).index))
    rows = rows.sort_values(["vlm", "order"], kind="stable")
    return pd.DataFrame(
        {
            "model": [labels.get(v, v) for v in rows.vlm],
            "condition": rows.condition.to_list(),
            "SMR": [number(v) for v in rows.smr],
            "said safe, is unsafe": [number(v) for v in rows.false_safe],
            "said unsafe, is safe": [number(v) for v in rows.false_alarm],
            "no decision": [number(v) for v in rows.abstained],
            "of these declined": [number(v) for v in rows.declined],
            "balanced accuracy": [number(v) for v in rows.safety_balanced_accuracy],
        }
    )


def load_visible(by_condition: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return HR and COR under occlusion, with and without the objects that nobody could see."""
    rows = by_condition[by_condition.condition.str.startswith("OCC")]
    return pd.DataFrame(
        {
            "model": [labels.get(v, v) for v in rows.vlm],
            "condition": rows.condition.to_list(),
            "HR": [number(v) for v in rows.hr],
            "HR, visible only": [number(v) for v in rows.hr_visible],
            "COR": [number(v) for v in rows.cor],
            "COR, visible only": [number(v) for v in rows.cor_visible],
        }
    )


def load_parsers(scoped: pd.DataFrame, keyword: pd.DataFrame, vlm: str) -> pd.DataFrame:
    """Return HR and COR of one VLM read by the scoped parser and by the plain keyword rule."""
    table: dict[str, list[str]] = {}
    frames = {"scoped": scoped, "keyword": keyword}
    frames = {k: f[f.vlm == vlm].set_index("condition") for k, f in frames.items()}
    conditions = ordered(frames["scoped"].index)
    table["condition"] = conditions
    for metric in ("hr", "cor"):
        for rule, frame in frames.items():
            table[f"{metric.upper()}, {rule}"] = [
                beside(*frame.loc[c, [metric, f"{metric}_low", f"{metric}_high"]])
                for c in conditions
            ]
    return pd.DataFrame(table)


def load_presence(presence: pd.DataFrame, labels: Mapping[str, str], value: str) -> pd.DataFrame:
    """Return one presence measure on clean images by class and VLM, and its mean."""
    clean = presence[presence.condition == "clean"]
    table = clean.pivot(index="class", columns="vlm", values=value)
    table = table.loc[list(dict.fromkeys(clean["class"])), list(dict.fromkeys(clean.vlm))]
    table.loc["**mean**"] = table.mean()
    counts = clean.drop_duplicates("class").set_index("class")
    out = pd.DataFrame({"class": table.index})
    out["scenes with it"] = [
        f"{counts.positives[c]} of {counts.n[c]}" if c in counts.index else "" for c in table.index
    ]
    for vlm in table.columns:
        out[labels.get(vlm, vlm)] = [number(v) for v in table[vlm]]
    return out


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
    printed = None
    if paper is not None:
        printed = paper.set_index(["segmenter", "vlm", "metric", "method"]).r
    rows = frame[frame.over == over]
    lines = []
    for (segmenter, vlm, metric), group in rows.groupby(["segmenter", "vlm", "metric"], sort=False):
        line = {
            "metric": metric.upper(),
            "VLM": labels.get(vlm, vlm),
            "segmenter": labels.get(segmenter, segmenter),
            "n": str(group.n.iloc[0]),
        }
        for row in group.itertuples():
            key = (segmenter, vlm, metric, row.method)
            value = printed.get(key) if printed is not None else None
            name = row.method.capitalize()
            line[name] = beside(row.r, row.low, row.high, value)
            if over == "conditions":
                line[f"{name} p"] = "< 0.001" if row.p < 0.001 else number(row.p, 3)
        lines.append(line)
    order = {m.upper(): i for i, m in enumerate(("hr", "cor", "smr"))}
    lines.sort(key=lambda line: order[line["metric"]])
    return pd.DataFrame(lines)

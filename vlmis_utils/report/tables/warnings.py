"""Tables of what could warn: each ``load_`` takes results and returns finished cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.presence_splits import SPLITS
from vlmis_utils.analysis.warnings.evaluation import PROTOCOLS
from vlmis_utils.analysis.warnings.refusal import SCORES
from vlmis_utils.analysis.warnings.signals import SIGNALS, TARGETS, Signal, Warnings
from vlmis_utils.core.formatting import listing, percent
from vlmis_utils.protocol.conditions import FAMILIES, ordered
from vlmis_utils.report.tables.markdown import Column, cells, crossed

__all__ = [
    "load_conformal", "load_costs", "load_drift", "load_engineer", "load_means", "load_models",
    "load_refusals", "load_relative", "load_signals", "load_single", "load_splits", "load_unseen",
]  # fmt: skip

_FEATURES = {"mIoU": "mIoU (needs the truth)", "condition": "name of the condition (unknown there)",
             "shuffled target": "all signals, target shuffled (control)"}  # fmt: skip
_AUC = Column("", "auc", interval=("low", "high"))


def load_signals(known: Sequence[str]) -> pd.DataFrame:
    """Return the signals of a run: what each is, where it comes from, and what must run for it."""
    rows = pd.DataFrame(
        [{"words": s.words, "source": s.source, "needs": s.needs, "is": name in known}
         for name, s in SIGNALS.items()]
    )  # fmt: skip
    rows["recorded"] = rows["is"].map({True: "yes", False: "no"})
    return cells(
        rows, Column("signal: more doubt with", "words"), Column("source", "source"),
        Column("needs, beside the VLM", "needs"), Column("in this run", "recorded"),
    )  # fmt: skip


def load_means(watched: Warnings) -> pd.DataFrame:
    """Return signals of pictures and segmenter by condition, in SD, from the clean mean."""
    known = watched.known(("image", "segmenter"))
    if not known:
        return pd.DataFrame()
    table = watched.signals[watched.vlms[0]][known]
    means = table.groupby("condition").mean()
    scaled = (means - means.loc["clean"]) / table.std()
    rows = scaled[known].T[[c for c in ordered(means.index) if c != "clean"]]
    shown = [Column(c, c, sign=True) for c in rows]
    return cells(rows.assign(words=[SIGNALS[n].words for n in known]),
                 Column("signal: more doubt with", "words"), *shown)  # fmt: skip


def load_single(
    single: pd.DataFrame, labels: Mapping[str, str], target: str, value: str = "auc"
) -> pd.DataFrame:
    """Return a number of each signal alone for one target, a column for each VLM.

    Args:
        single: of `analysis.warnings.evaluation.Evaluation`.
        labels: words of VLMs.
        target: a key of `TARGETS`.
        value: ``auc`` or ``precision``.
    """
    rows = single[(single.target == target) & single.auc.notna()]
    lead = [Column("signal", "words"), Column("source", "source")]
    shown = _AUC if value == "auc" else Column("", value, interval=True)
    return crossed(rows, lead, "vlm", shown, words=labels)


def load_models(
    models: pd.DataFrame, labels: Mapping[str, str], protocol: str, features: Sequence[str],
    value: str = "auc",
) -> pd.DataFrame:  # fmt: skip
    """Return AUC, or another number, of models: rows targets and features, columns VLMs.

    Args:
        models: of `analysis.warnings.evaluation.Evaluation`.
        labels: words of VLMs.
        protocol: a key of `PROTOCOLS`.
        features: which sets, in order.
        value: ``auc``, ``precision`` or ``slope``.
    """
    rows = models[(models.protocol == protocol) & models.features.isin(features)]
    shown = _AUC if value == "auc" else Column("", value, interval=True)
    lead = [Column("failure", "target", words=TARGETS), Column("features", "features",
            words=_FEATURES)]  # fmt: skip
    return crossed(rows, lead, "vlm", shown, words=labels)


def load_unseen(models: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return AUC of all signals within a corruption that was fitted, and one that was not."""
    rows = models[models.features.eq("all signals") & models.protocol.ne("new scenes")]
    lead = [Column("failure", "target", words=TARGETS), Column("fitted and judged on", "protocol",
            words=PROTOCOLS)]  # fmt: skip
    return crossed(rows, lead, "vlm", _AUC, words=labels)


def load_refusals(
    rows: pd.DataFrame, labels: Mapping[str, str], refused: Sequence[float], coverage: float
) -> pd.DataFrame:
    """Return risk, area and failures avoided of each score, of rows of one target."""
    rows = rows[rows.score != "truth"]
    return cells(
        rows, Column("model", "vlm", words=labels), Column("refused by", "score", words=SCORES),
        Column("risk, none refused", "rate"), Column("AURC", "aurc", interval=True),
        Column(f"risk at {percent(coverage)} kept", "risk", interval=True),
        *(Column(f"avoided by {percent(r)} refused", f"avoided_{r:g}", interval=True)
          for r in refused),
    )  # fmt: skip


def load_conformal(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the promised and the found risk on each kind of picture."""
    return cells(
        rows, Column("model", "vlm", words=labels), Column("images", "where"),
        Column("risk promised", "limit"), Column("risk, none refused", "plain"),
        Column("risk found", "risk", interval=("low", "high")), Column("refused", "refused"),
    )  # fmt: skip


def load_costs(measured: pd.DataFrame) -> pd.DataFrame:
    """Return the processor milliseconds that signals take for one picture, and what must run.

    Args:
        measured: ``signals`` of `analysis.cost.load_measured`.
    """
    ms = measured.set_index("what").ms
    rows = [
        {
            "words": listing(s.words for s in SIGNALS.values() if s.measured == what),
            "needs": next(s.needs for s in SIGNALS.values() if s.measured == what),
            "ms": float(ms[what]),
        }
        for what in ms.index
    ]
    others = [s.words for s in SIGNALS.values() if not s.measured]
    rows.append({"words": listing(others), "needs": "what they compare", "ms": 0.0})
    return cells(
        pd.DataFrame(rows), Column("signals", "words"), Column("needs", "needs"),
        Column("ms an image", "ms", digits=1),
    )  # fmt: skip


def load_splits(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the share of absent classes called present: rows VLM and split, columns conditions."""
    lead = [Column("model", "vlm", words=labels), Column("absent classes", "split", words=SPLITS)]
    return crossed(rows, lead, "condition", Column("", "yes", interval=("low", "high")))


def load_relative(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return errors over those on clean pictures and over those of the best constant."""
    lead = [Column("model", "model", words=labels), Column("error", "measure")]
    shown = Column(" / clean", "to_clean"), Column(" / constant", "to_constant")
    return crossed(rows, lead, "family", *shown, words=FAMILIES)


def load_drift(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return drift of embedding and of margin, decisions that change, and how they go together."""
    return cells(
        rows, Column("model", "vlm", words=labels), Column("corruption", "family", words=FAMILIES),
        Column("embedding drift", "embedding"), Column("margin drift", "margin"),
        Column("decisions changed", "flips"), Column("of the stabler half", "stable_flips"),
        Column("Spearman", "rho", interval=("rho_low", "rho_high")),
        Column("AUC", "auc", interval=("low", "high")),
    )  # fmt: skip


def load_engineer(
    single: pd.DataFrame, measured: pd.DataFrame | None, least: float = 0.5
) -> pd.DataFrame:
    """Return signal, cost, what it catches and what it misses.

    A signal catches a failure where the 95 % interval of its AUC lies above ``least`` for more
    than half of the VLMs that show that failure; it misses all others.

    Args:
        single: of `analysis.warnings.evaluation.Evaluation`.
        measured: ``signals`` of `analysis.cost.load_measured`; None where it is not measured.
        least: AUC of a coin.
    """
    rows = []
    ms = {} if measured is None else dict(zip(measured.what, measured.ms, strict=True))
    known = single.dropna(subset=["auc"])
    for name, group in known.groupby("signal", sort=False):
        if name not in SIGNALS:
            continue
        caught = (group.low > least).groupby(group.target, sort=False).mean() > 0.5
        span = group.groupby("target", sort=False).auc.agg(["min", "max"])
        words = {
            t: f"{TARGETS[t]} ({span.loc[t, 'min']:.2f} to {span.loc[t, 'max']:.2f})"
            for t in span.index
        }
        parts = [[words[t] for t in caught.index if caught[t] == kind] for kind in (True, False)]
        catches, misses = (listing(part) if part else "nothing" for part in parts)
        rows.append(
            {"signal": SIGNALS[name].words, "cost": _cost(SIGNALS[name], ms),
             "catches": catches, "misses": misses}
        )  # fmt: skip
    return pd.DataFrame(rows, columns=["signal", "cost", "catches", "misses"])


def _cost(signal: Signal, ms: Mapping[str, float]) -> str:
    """Return what a signal takes, in words: its own milliseconds, and the models that must run."""
    own = f"{ms[signal.measured]:.1f} ms" if signal.measured in ms else ""
    models = "" if signal.needs == "nothing" else signal.needs
    return " + ".join(filter(None, (own, models))) or "none"

"""Two studies side by side, as a page: what ``vlmis compare`` writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import yaml

from vlmis_utils.analysis.comparison import (
    compared_findings,
    differing_parameters,
    shared_pictures,
)
from vlmis_utils.analysis.open_results import open_results, open_study
from vlmis_utils.analysis.results import Results
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.core.formatting import estimate, listing, number, p_value, verbatim
from vlmis_utils.core.io import write_atomically
from vlmis_utils.protocol.parameters import STUDY_FILE
from vlmis_utils.report.build_html import CONFIG, make_html
from vlmis_utils.report.style import load_labels
from vlmis_utils.report.tables.markdown import numbered
from vlmis_utils.report.text.sentences import NAMES
from vlmis_utils.statistics.paired import ALPHA

__all__ = ["comparison_page", "write_comparison"]

_STATIC = Path("book/_static")
_REFERENCES = Path("book/references.bib")
_METRICS = {"miou": "mIoU of an image", "hr": "HR", "cor": "COR", "smr": "SMR"}


def write_comparison(first: Path, second: Path, folder: Path | None = None) -> Path:
    """Compare two studies that have run, and return the page.

    Args:
        first, second: their folders, such as ``build/streetworld``.
        folder: for the page and what it is made from; ``build/compare/<first>-<second>`` without.

    Raises:
        UserError: a folder is none of a study, or both are the same.
        RunError: records are missing or damaged, or the page could not be built.
    """
    for place in (first, second):
        if not (place / STUDY_FILE).exists():
            raise UserError(f"{place} is no folder of a study that has run, such as build/smoke")
    if first.resolve() == second.resolve():
        raise UserError(f"{first} twice: name two studies")
    names = _names(first, second)
    folder = folder or Path("build/compare") / "-".join(names)
    source = folder / "source"
    if not CONFIG.exists():
        raise RunError(f"no {CONFIG} here: run vlmis in the folder of the repository")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(_STATIC, source / _STATIC)
    shutil.copyfile(_REFERENCES, source / _REFERENCES)
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    config["title"] = f"{names[0]} and {names[1]}"
    write_atomically(source / CONFIG, yaml.safe_dump(config, sort_keys=False).encode())
    write_atomically(source / "_toc.yml", b"format: jb-book\nroot: index\n")
    text = comparison_page(first / "records", second / "records", names)
    write_atomically(source / "index.md", text.encode())
    return make_html(folder)


def _names(first: Path, second: Path) -> tuple[str, str]:
    """Return what to call both: their own names, with the folder's before them where equal."""
    names = first.resolve().name, second.resolve().name
    if names[0] != names[1]:
        return names
    return tuple(f"{p.resolve().parent.name}-{p.resolve().name}" for p in (first, second))


def comparison_page(first: Path, second: Path, names: tuple[str, str]) -> str:
    """Return the page about two studies, as MyST text.

    Args:
        first, second: the folders of their records.
        names: what they are called.
    """
    results = open_results(first), open_results(second)
    studies = open_study(first), open_study(second)
    parameters = differing_parameters(*studies, (results[0].run, results[1].run))
    findings = compared_findings(*results)
    labels = load_labels(studies[1].models) | load_labels(studies[0].models)
    parts = [
        f"# {names[0]} and {names[1]} side by side",
        _summary(results, findings, names),
        "## What they ran with",
        _parameter_table(parameters, names),
        "## What they found",
    ]
    parts += _finding_tables(findings, names, labels)
    parts.append(_alone(results, names, labels))
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(results: tuple[Results, Results], findings: pd.DataFrame, names: tuple) -> str:
    shared = shared_pictures(*results)
    totals = [len(r.conditions[r.conditions.condition != "blank"]) for r in results]
    scenes = shared.scene_id.nunique()
    if not len(shared):
        return (
            f"The two studies share no image: {names[0]} has {totals[0]}, {names[1]} has "
            f"{totals[1]}. Their means stand beside each other below, and no test can say whether "
            "a difference is one of the models or one of the images."
        )
    tested = findings[findings.holm.notna()]
    differ = tested[tested.holm < ALPHA]
    text = (
        f"They share {len(shared)} images of {scenes} scenes, bit for bit ({names[0]} has "
        f"{totals[0]} images, {names[1]} {totals[1]}). Of {len(tested)} comparisons on them, "
        f"each between models of one name under one condition, {len(differ)} differ significantly "
        f"after Holm's correction within a model (α = {ALPHA:g})."
    )
    if len(differ):
        row = differ.loc[differ.delta.abs().idxmax()]
        text += (
            f" The largest: {NAMES.get(row.metric, row.metric)} of {row.model} under "
            f"{row.condition}, {number(row['first'])} in {names[0]} and {number(row.second)} in "
            f"{names[1]}, a difference of {estimate(row.delta, row.low, row.high, sign=True)}."
        )
    return text


def _parameter_table(parameters: pd.DataFrame, names: tuple[str, str]) -> str:
    if parameters.empty:
        return "Every parameter is the same, and every model of one name is the same checkpoint."
    frame = pd.DataFrame(
        {"parameter": [f"`{key}`" for key in parameters.key]}
        | {name: parameters[side].map(verbatim)
           for name, side in zip(names, ("first", "second"), strict=True)}
    )  # fmt: skip
    return numbered(frame, "tab-parameters", "Parameters that differ.", left=-1).data


def _finding_tables(findings: pd.DataFrame, names: tuple, labels: dict[str, str]) -> list[str]:
    if findings.empty:
        return ["No model of one name under one condition is in both studies."]
    tables, same = [], []
    for (kind, model), rows in findings.groupby(["kind", "model"], sort=False):
        if (rows[["delta", "low", "high"]] == 0).all(axis=None):
            same.append(labels.get(model, model))
            continue
        frame = pd.DataFrame(
            {
                "metric": rows.metric.map(_METRICS), "condition": rows.condition,
                "images": rows.n.map(lambda n: str(n) if n else "not shared"),
                names[0]: rows["first"], names[1]: rows.second,
                "difference": [estimate(r.delta, r.low, r.high, sign=True)
                               for r in rows.itertuples()],
                "p": rows.holm.map(p_value),
                "differs": (rows.holm < ALPHA).map({True: "yes", False: ""}),
            }
        )  # fmt: skip
        text = (
            f"{labels.get(model, model)} in both studies: means over the shared images, the "
            "second minus the first with its paired 95 % interval, and p after Holm's correction "
            "over this table."
        )
        tables.append(numbered(frame, f"tab-{kind}-{model}", text, left=2).data)
    if same:
        tables.append(f"No value of {listing(same)} differs on any shared image.")
    return tables


def _alone(results: tuple[Results, Results], names: tuple, labels: dict[str, str]) -> str:
    """Return which models only one of the studies has."""
    known = [{*r.segmentation.segmenter, *r.answers.vlm} for r in results]
    said = []
    for name, mine, other in ((names[0], *known), (names[1], *known[::-1])):
        only = sorted(labels.get(model, model) for model in mine - other)
        if only:
            said.append(f"Only {name} has {listing(only)}.")
    return " ".join(said)

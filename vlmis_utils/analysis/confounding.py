"""What may stand behind a correlation of Q with L: severity, corruption, how full a scene is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.changes import with_holm
from vlmis_utils.analysis.correlation import level_frame
from vlmis_utils.analysis.panel import Panel, covariates, load_panel
from vlmis_utils.analysis.quality_measures import measures
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.per_image import METRIC_COLUMNS
from vlmis_utils.protocol.conditions import FAMILIES
from vlmis_utils.statistics import correlation
from vlmis_utils.statistics.repeated_measures import intraclass_correlation
from vlmis_utils.statistics.resampling import sample_and_resamples

__all__ = [
    "GIVEN", "partial_correlations", "scene_richness", "scene_shares", "stratified_correlations",
]  # fmt: skip

GIVEN = ("nothing", "severity", "severity and corruption")


def partial_correlations(
    results: Results, levels: Sequence[str] = ("conditions", "images", "within")
) -> pd.DataFrame:
    """Return the correlations given nothing, severity (0 to 3), or severity and corruption.

    Given severity means: of what least squares on severity leave of Q and of L. Severity and
    corruption are its number and an indicator for each corruption; clean has neither. Between
    scenes of one condition both are constant, so that level has no partial correlation.

    Returns:
        Columns of `analysis.correlation.correlations` and ``given``, one of `GIVEN`; holm within
        each level, method and given.
    """
    panel = load_panel(results, tuple(METRIC_COLUMNS.values()))
    weights = sample_and_resamples(len(panel.scenes), results.bootstrap)
    miou = measures(results.reading.critical_classes)[0]
    known = (None, covariates(panel), covariates(panel, corruption=True))
    frames = [
        level_frame(panel, level, miou, weights, given=given).assign(given=name)
        for name, given in zip(GIVEN, known, strict=True)
        for level in levels
    ]
    return with_holm(pd.concat(frames), ["over", "method", "given"])


def stratified_correlations(results: Results) -> pd.DataFrame:
    """Return the correlations over images, by corruption and by severity.

    A corruption is taken with the clean pictures of the same scenes; a severity without them. By
    corruption also ``within`` scenes.

    Returns:
        Columns of `analysis.correlation.correlations`, ``kind`` (corruption or severity) and
        ``stratum`` (low light, severity 2, ...); holm within each kind, level and method.
    """
    panel = load_panel(results, tuple(METRIC_COLUMNS.values()))
    weights = sample_and_resamples(len(panel.scenes), results.bootstrap)
    miou = measures(results.reading.critical_classes)[0]
    severity, corruption = panel.severity, np.array(panel.corruption)
    strata = [("corruption", name, (corruption == name) | (severity == 0), ("images", "within"))
              for name in FAMILIES.values() if (corruption == name).any()]  # fmt: skip
    strata += [("severity", f"severity {level}", severity == level, ("images",))
               for level in sorted(set(severity.tolist()) - {0})]  # fmt: skip
    frames = [
        level_frame(panel.part(keep), level, miou, weights).assign(kind=kind, stratum=name)
        for kind, name, keep, levels in strata
        for level in levels
    ]
    if not frames:  # no degraded condition
        empty = level_frame(panel, "images", miou, weights[:1]).iloc[:0]
        frames = [empty.assign(kind="", stratum="")]
    return with_holm(pd.concat(frames), ["kind", "over", "method"])


def scene_richness(results: Results) -> pd.DataFrame:
    """Return how a scene's number of object classes goes with its quality and its failures.

    Spearman's coefficient over scenes, of the number of classes present with means over conditions.

    Returns:
        One row for each segmenter (quantity ``miou``) and for each VLM and metric: model, quantity,
        and what `statistics.correlation` returns.
    """
    clean = results.truth[results.truth.condition == "clean"].set_index("scene_id").present
    panel, tables = _tables(results)
    count = [float(len(clean[name])) for name in panel.scenes]
    rows = [
        {"model": model, "quantity": quantity} | correlation(count, values.mean(axis=1), "spearman")
        for (model, quantity), values in tables.items()
    ]
    return pd.DataFrame(rows)


def scene_shares(results: Results) -> pd.DataFrame:
    """Return model, quantity and share: how much of the variance is the scene's.

    See `statistics.repeated_measures.intraclass_correlation`; quantities as in `scene_richness`.
    """
    _, tables = _tables(results)
    rows = [(*name, intraclass_correlation(values)) for name, values in tables.items()]
    return pd.DataFrame(rows, columns=["model", "quantity", "share"])


def _tables(results: Results) -> tuple[Panel, dict[tuple[str, str], np.ndarray]]:
    """Return the panel, and (model, quantity) -> (N, C)."""
    panel = load_panel(results, tuple(METRIC_COLUMNS.values()))
    miou = panel.quality(measures(results.reading.critical_classes)[0])
    tables = {(s, "miou"): q for s, q in zip(panel.counts, miou, strict=True)}
    for vlm, (metric, column) in itertools.product(panel.failures, METRIC_COLUMNS.items()):
        tables[vlm, metric] = panel.failures[vlm][column]
    return panel, tables

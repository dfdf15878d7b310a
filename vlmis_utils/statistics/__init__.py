"""The statistics of the study: intervals, paired tests, correlations, power.

One idea a file. What pingouin or scipy have goes through them; intervals of rates and of mIoU
come from resampling scenes. Nothing here knows of records: `analysis.changes` and its neighbours
apply these functions to the results of a run. `simulation` and `error_rates` check them on data
whose truth is known.
"""

from vlmis_utils.statistics.correlation import METHODS, correlation, fisher_interval
from vlmis_utils.statistics.jackknife import jackknife_miou, jackknife_miou_change
from vlmis_utils.statistics.multiplicity import holm
from vlmis_utils.statistics.paired import cochran_q, mcnemar, mcnemar_p, paired_effect
from vlmis_utils.statistics.power import (
    correlation_power,
    detectable_change,
    detectable_correlation,
    half_width,
    mcnemar_power,
    rate_interval,
    scenes_needed,
)
from vlmis_utils.statistics.ranks import spearman_interval
from vlmis_utils.statistics.resampling import (
    Interval,
    bootstrap_interval,
    bootstrap_miou,
    bootstrap_miou_change,
    percentiles,
    resampled_miou,
    scene_weights,
)

__all__ = [
    "METHODS", "Interval", "bootstrap_interval", "bootstrap_miou", "bootstrap_miou_change",
    "cochran_q", "correlation", "correlation_power", "detectable_change", "detectable_correlation",
    "fisher_interval", "half_width", "holm", "jackknife_miou", "jackknife_miou_change", "mcnemar",
    "mcnemar_p", "mcnemar_power", "paired_effect", "percentiles", "rate_interval",
    "resampled_miou", "scene_weights", "scenes_needed", "spearman_interval",
]  # fmt: skip

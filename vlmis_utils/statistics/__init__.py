"""Intervals, paired tests, correlations, prediction and power; nothing here knows of records.

One idea a file. What pingouin, scipy, statsmodels or scikit-learn have goes through them; intervals
of rates come from resampling scenes. `analysis` applies these functions to the results of a run,
`analysis.validation` checks them on simulated data whose truth is known. The line "Checked against"
of a docstring names the independent implementations that the tests compare a function with.
"""

from vlmis_utils.statistics.correlation import (
    METHODS,
    correlation,
    fisher_interval,
    spearman_interval,
)
from vlmis_utils.statistics.intervals import Interval, interval_sign
from vlmis_utils.statistics.paired import cochran_q, holm, mcnemar, mcnemar_p, paired_effect
from vlmis_utils.statistics.power import (
    correlation_power,
    detectable_change,
    detectable_correlation,
    half_width,
    mcnemar_power,
    rate_interval,
    scenes_needed,
)
from vlmis_utils.statistics.resampling import bootstrap_interval, percentiles, scene_weights

__all__ = [
    "METHODS", "Interval", "bootstrap_interval", "cochran_q", "correlation", "correlation_power",
    "detectable_change", "detectable_correlation", "fisher_interval", "half_width", "holm",
    "interval_sign", "mcnemar", "mcnemar_p", "mcnemar_power", "paired_effect", "percentiles",
    "rate_interval", "scene_weights", "scenes_needed", "spearman_interval",
]  # fmt: skip

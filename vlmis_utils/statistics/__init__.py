"""The statistics of the study: intervals, paired tests, correlations, power.

One idea a file. What pingouin or scipy have goes through them; intervals of rates and of mIoU are
bootstraps over scenes. Nothing here knows of records: `vlmis_utils.changes` and its neighbours
apply these functions to the results of a run.
"""

from vlmis_utils.statistics.bootstrap import (
    Interval,
    bootstrap_interval,
    bootstrap_miou,
    percentiles,
    scene_weights,
)
from vlmis_utils.statistics.correlation import METHODS, correlation, fisher_interval
from vlmis_utils.statistics.multiplicity import holm

__all__ = [
    "METHODS",
    "Interval",
    "bootstrap_interval",
    "bootstrap_miou",
    "correlation",
    "fisher_interval",
    "holm",
    "percentiles",
    "scene_weights",
]

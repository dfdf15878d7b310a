"""Against what each function of this package is tested: an implementation that is not ours.

The tests themselves lie in ``tests/statistics``. This list is for readers; a test sees to it that
no public function is missing and that each named test file speaks of its function.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ORACLES", "Oracle"]


class Oracle(NamedTuple):
    """What checks a function.

    Attributes:
        function: its name in `statistics` or a module of it.
        computes: in a few words.
        checked: the independent implementations or properties.
        test: the file under ``tests/statistics``.
    """

    function: str
    computes: str
    checked: str
    test: str


ORACLES: tuple[Oracle, ...] = (
    Oracle("scene_weights", "resamples of scenes", "counts of a multinomial distribution",
           "test_bootstrap.py"),
    Oracle("percentiles", "bounds of an interval", "numpy.quantile; scipy's t and normal quantiles",
           "test_bootstrap.py"),
    Oracle("bootstrap_interval", "mean over scenes with interval",
           "scipy.stats.bootstrap; simulated coverage", "test_bootstrap.py"),
    Oracle("resampled_miou", "mIoU of resamples", "a loop that adds whole matrices",
           "test_bootstrap.py"),
    Oracle("bootstrap_miou", "mIoU with interval", "a loop over drawn scenes; simulated coverage",
           "test_bootstrap.py"),
    Oracle("bootstrap_miou_change", "loss of mIoU with paired interval",
           "a loop over drawn scenes; simulated coverage", "test_bootstrap.py"),
    Oracle("jackknife_miou", "mIoU with interval",
           "scipy.stats.ttest_1samp where mIoU is a mean; a loop; simulated coverage",
           "test_jackknife.py"),
    Oracle("jackknife_miou_change", "loss of mIoU with paired interval",
           "a loop that leaves out each scene; simulated coverage", "test_jackknife.py"),
    Oracle("correlation", "Pearson and Spearman with interval and p",
           "scipy.stats.pearsonr and spearmanr; pingouin.corr", "test_correlation.py"),
    Oracle("fisher_interval", "interval of Pearson's r", "scipy.stats.pearsonr; simulated coverage",
           "test_correlation.py"),
    Oracle("spearman_interval", "interval of Spearman's r",
           "its equation solved by scipy; simulated coverage", "test_ranks.py"),
    Oracle("holm", "correction for a family of tests",
           "statsmodels multipletests; simulated family-wise error", "test_multiplicity.py"),
    Oracle("mcnemar_p", "exact test of flips, many at once",
           "every one of the equally likely outcomes counted; scipy.stats.binomtest",
           "test_paired.py"),
    Oracle("mcnemar", "exact test of flips with effect sizes",
           "statsmodels mcnemar and proportion_confint; pingouin.chi2_mcnemar", "test_paired.py"),
    Oracle("cochran_q", "test of several conditions at once",
           "statsmodels cochrans_q; scipy.stats.friedmanchisquare; permutations within scenes",
           "test_paired.py"),
    Oracle("paired_effect", "size of a paired change",
           "pingouin.ttest; scipy.stats.wilcoxon; signs flipped at random", "test_paired.py"),
    Oracle("rate_interval", "interval of a plain rate", "statsmodels proportion_confint",
           "test_power.py"),
    Oracle("half_width", "its half width", "statsmodels proportion_confint", "test_power.py"),
    Oracle("mcnemar_power", "power of the exact test of flips",
           "all outcomes of few scenes counted; simulation; Connor's formula", "test_power.py"),
    Oracle("detectable_change", "smallest change that is found", "mcnemar_power put back in",
           "test_power.py"),
    Oracle("scenes_needed", "scenes for a change", "every smaller number tried; Connor's formula",
           "test_power.py"),
    Oracle("correlation_power", "power of the test of a correlation", "simulation",
           "test_power.py"),
    Oracle("detectable_correlation", "smallest correlation that is found",
           "correlation_power put back in; published sample sizes", "test_power.py"),
    Oracle("from_draws", "interval and p from resamples", "Student's interval by hand",
           "test_estimate.py"),
    Oracle("clustered_correlation", "correlation over images, within and between scenes",
           "pingouin.rm_corr; scipy.stats; simulated coverage", "test_repeated.py"),
    Oracle("rm_interval", "parametric interval within scenes", "pingouin.rm_corr",
           "test_repeated.py"),
    Oracle("partial_correlation", "correlation given severity", "pingouin.partial_corr",
           "test_repeated.py"),
    Oracle("scene_share", "share of variance between scenes", "pingouin.intraclass_corr",
           "test_repeated.py"),
    Oracle("false_alarms", "false alarms of a pooled p", "simulation, its own subject",
           "test_repeated.py"),
    Oracle("with_whole", "the sample as one more resample", "loops that copy scenes",
           "test_resampled.py"),
    Oracle("weighted_ranks", "ranks in each resample", "scipy.stats.rankdata of copied scenes",
           "test_resampled.py"),
    Oracle("correlate_rows", "many correlations at once", "scipy.stats row by row",
           "test_resampled.py"),
    Oracle("resampled_correlation", "correlations in each resample",
           "a loop that copies, ranks and correlates; pingouin.partial_corr", "test_resampled.py"),
    Oracle("grouped_folds", "folds that keep scenes whole", "that each scene is in one fold",
           "test_prediction.py"),
    Oracle("cross_validated", "probabilities for unseen scenes",
           "a scikit-learn pipeline fitted fold by fold", "test_prediction.py"),
    Oracle("grouped_auc_draws", "AUC in each resample", "sklearn.metrics.roc_auc_score",
           "test_prediction.py"),
    Oracle("brier_draws", "Brier score in each resample", "sklearn.metrics.brier_score_loss",
           "test_calibration.py"),
    Oracle("calibration_slope", "slope of calibration with interval",
           "statsmodels Logit with errors clustered by scene; simulated coverage",
           "test_calibration.py"),
    Oracle("expected_calibration_error", "distance from calibration",
           "what chance makes of right probabilities", "test_calibration.py"),
    Oracle("reliability", "observed share by predicted probability", "sums and cases by hand",
           "test_calibration.py"),
)  # fmt: skip

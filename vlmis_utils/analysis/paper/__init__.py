"""The paper's printed tables, recomputed: arithmetic on Tables 2 to 6, no model and no records.

Every function takes printed numbers to a tidy frame and can be run alone::

    python -c "from vlmis_utils.analysis import paper; print(paper.class_means())"

Nothing here guesses at causes.
"""

from vlmis_utils.core.lazy import lazy

# Module to what can be imported from here.
_HOMES = {
    "abstention": "safety_answers split",
    "bounds": "BANDS BOUNDS",
    "consistency": "class_means coincidence equal_cells mean_bounds step_counts steps"
    " table2_and_table3",
    "correlations": "band_counts printed_correlations readings rounding",
    "grim": "PICTURES SHARES count even_hundredths even_share fits hr_grid misfit_counts misfits"
    " sample_sizes shares size_of_columns",
    "significance": "ALPHA between_models changes_from_clean difference_interval hr_reach"
    " intervals mcnemar mcnemar_bounds smallest_change",
    "tables": "NAMES_AND_SCALES drops levels",
}

__all__, __getattr__, __dir__ = lazy(__name__, _HOMES)

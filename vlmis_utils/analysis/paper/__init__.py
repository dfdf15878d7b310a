"""The paper's printed tables, recomputed: arithmetic on Tables 2 to 6, no model and no records.

Every function takes printed numbers to a tidy frame and can be run alone::

    python -c "from vlmis_utils.analysis import paper; print(paper.class_means())"

Nothing here guesses at causes.
"""

from vlmis_utils.analysis.paper.abstention import safety_answers, split
from vlmis_utils.analysis.paper.bounds import BANDS, BOUNDS
from vlmis_utils.analysis.paper.consistency import (
    class_means,
    coincidence,
    equal_cells,
    mean_bounds,
    step_counts,
    steps,
    table2_and_table3,
)
from vlmis_utils.analysis.paper.correlations import (
    band_counts,
    printed_correlations,
    readings,
    rounding,
)
from vlmis_utils.analysis.paper.grim import (
    PICTURES,
    SHARES,
    count,
    even_hundredths,
    even_share,
    fits,
    hr_grid,
    misfit_counts,
    misfits,
    sample_sizes,
    shares,
    size_of_columns,
)
from vlmis_utils.analysis.paper.significance import (
    ALPHA,
    between_models,
    changes_from_clean,
    difference_interval,
    hr_reach,
    intervals,
    mcnemar,
    mcnemar_bounds,
    smallest_change,
)
from vlmis_utils.analysis.paper.tables import NAMES_AND_SCALES, drops, levels

__all__ = [
    "ALPHA", "BANDS", "BOUNDS", "NAMES_AND_SCALES", "PICTURES", "SHARES", "band_counts",
    "between_models", "changes_from_clean", "class_means", "coincidence", "count",
    "difference_interval", "drops", "equal_cells", "even_hundredths", "even_share", "fits",
    "hr_grid", "hr_reach", "intervals", "levels", "mcnemar", "mcnemar_bounds", "mean_bounds",
    "misfit_counts", "misfits", "printed_correlations", "readings", "rounding", "safety_answers",
    "sample_sizes", "shares", "size_of_columns", "smallest_change", "split", "step_counts",
    "steps", "table2_and_table3",
]  # fmt: skip

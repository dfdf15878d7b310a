"""The paper's printed tables, recomputed: arithmetic on Tables 2 to 6, no model and no records.

Every function takes printed numbers to a tidy frame and can be run alone::

    python -c "from vlmis_utils import audit; print(audit.class_means())"

`findings` lists what comes out, sentence by sentence. Nothing here guesses at causes.
"""

from vlmis_utils.analysis.paper.abstention import safety_answers, split
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
    CLAIMS,
    Claim,
    correlations,
    readings,
    rounding,
    words,
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
from vlmis_utils.analysis.paper.printed import NAMES_AND_SCALES, Printed, drops, levels
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
from vlmis_utils.analysis.paper.statements import statements

__all__ = [
    "ALPHA", "CLAIMS", "NAMES_AND_SCALES", "PICTURES", "SHARES", "Claim", "Printed",
    "between_models", "changes_from_clean", "class_means", "coincidence", "correlations", "count",
    "difference_interval", "drops", "equal_cells", "even_hundredths", "even_share", "findings",
    "fits", "hr_grid", "hr_reach", "intervals", "levels", "mcnemar", "mcnemar_bounds",
    "mean_bounds", "misfit_counts", "misfits", "readings", "rounding", "safety_answers",
    "sample_sizes", "shares", "size_of_columns", "smallest_change", "split", "statements",
    "step_counts", "steps", "table2_and_table3", "words",
]  # fmt: skip

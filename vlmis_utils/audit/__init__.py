"""The paper's printed tables, recomputed: arithmetic on Tables 2 to 6, no model and no records.

Every function takes printed numbers to a tidy frame and can be run alone::

    python -c "from vlmis_utils import audit; print(audit.class_means())"

`findings` lists what comes out, sentence by sentence. Nothing here guesses at causes.
"""

from vlmis_utils.audit.abstention import safety_answers, split
from vlmis_utils.audit.coefficients import (
    CLAIMS,
    Claim,
    correlations,
    readings,
    rounding,
    words,
)
from vlmis_utils.audit.consistency import (
    class_means,
    coincidence,
    equal_cells,
    mean_bounds,
    step_counts,
    steps,
    table2_and_table3,
)
from vlmis_utils.audit.detection import (
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
from vlmis_utils.audit.granularity import (
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
from vlmis_utils.audit.printed import NAMES_AND_SCALES, Printed, drops, levels
from vlmis_utils.audit.statements import statements
from vlmis_utils.audit.summary import Finding, findings, places

__all__ = [
    "ALPHA", "CLAIMS", "NAMES_AND_SCALES", "PICTURES", "SHARES", "Claim", "Finding", "Printed",
    "between_models", "changes_from_clean", "class_means", "coincidence", "correlations", "count",
    "difference_interval", "drops", "equal_cells", "even_hundredths", "even_share", "findings",
    "fits", "hr_grid", "hr_reach", "intervals", "levels", "mcnemar", "mcnemar_bounds",
    "mean_bounds", "misfit_counts", "misfits", "places", "readings", "rounding", "safety_answers",
    "sample_sizes", "shares", "size_of_columns", "smallest_change", "split", "statements",
    "step_counts", "steps", "table2_and_table3", "words",
]  # fmt: skip

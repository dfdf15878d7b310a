"""The specification curve: the study's conclusions under every combination of defensible choices.

The same records throughout; no model runs. `choices` says what could have been decided otherwise,
`grids` works out every image under every specification, a ``_curve`` gives the estimates,
`robustness` says which conclusions hold throughout, `effects` on which choice the others depend.
"""

from vlmis_utils.analysis.multiverse.choices import Choice, Level, choices
from vlmis_utils.analysis.multiverse.curves import (
    correlation_curve,
    image_correlation_curve,
    rise_curve,
)
from vlmis_utils.analysis.multiverse.grid import Grid, grids
from vlmis_utils.analysis.multiverse.permutation_test import joint_test
from vlmis_utils.analysis.multiverse.robustness import (
    OUTCOMES,
    disputed,
    effects,
    robustness,
    rows_of,
)
from vlmis_utils.analysis.multiverse.safety_rules import SafetyRule, parse_reason, relabel

__all__ = [
    "OUTCOMES", "Choice", "Grid", "Level", "SafetyRule", "choices", "correlation_curve", "disputed",
    "effects", "grids", "image_correlation_curve", "joint_test", "parse_reason", "relabel",
    "rise_curve", "robustness", "rows_of",
]  # fmt: skip

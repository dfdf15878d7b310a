"""What natural low light and Table 1's come to, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vlmis_utils.analysis.natural_light import DUSK, LADDER, Light
from vlmis_utils.core.formatting import estimate, listing, number, percent
from vlmis_utils.report.text.sentences import NAMES
from vlmis_utils.statistics.intervals import interval_sign

__all__ = ["light_answer", "light_lines", "light_words", "unsafe_words"]


def light_words(light: Light | None) -> str:
    """Return how dark dusk is on the ladder of Table 1, or that it cannot be said."""
    if light is None:
        return (
            "These records lack day frames under LL1 to LL3, dusk frames, or their mean luma: the "
            "comparison cannot be computed."
        )
    luma = light.luma.set_index("light").luma
    size = (
        f"The dusk frames have a mean luma of {number(luma[DUSK], 3)}, the day frames "
        f"{number(luma['clean'], 3)}"
    )
    if light.nearest is None:
        darker = [c for c in LADDER if luma[c] < luma[DUSK]]
        brighter = [c for c in LADDER if luma[c] >= luma[DUSK]]
        return f"{size}: dusk lies between {brighter[-1]} and {darker[0]} of the day frames."
    gap = estimate(light.gap.value, light.gap.low, light.gap.high, 3, sign=True)
    if light.nearest == "clean":
        return (
            f"{size}: dusk is *brighter than the day frames*, by {gap}. It is off the ladder, and "
            "is compared with the day frames as they are."
        )
    share = abs(light.gap.value / (luma["clean"] - luma[light.nearest]))
    told = "the interval holds zero" if light.gap.low <= 0 <= light.gap.high else "darker still"
    return (
        f"{size}: dusk is *darker than every rung of the ladder*, so no rung has its luma. The "
        f"nearest is {light.nearest} with {number(luma[light.nearest], 3)}; dusk minus "
        f"{light.nearest} is {gap} ({told}), {percent(share)} of the way from day to "
        f"{light.nearest}. In what follows {light.nearest} stands for the ladder."
    )


def light_answer(light: Light | None) -> str:
    """Return in two sentences whether dusk harms less or more than the ladder does."""
    if light is None:
        return ""
    made = _made(light)
    found = light.matched.dropna(subset=["difference"])
    lines = []
    for subject, own in (
        ("segmentation", found[found.measure == "miou"]),
        ("language", found[found.measure != "miou"]),
    ):
        if len(own):
            more, less, alike = _worse(own)
            words = f"Dusk harms {subject} less than {made} in {less} of {len(own)} comparisons"
            mean = f", more in {more}, and {alike} do not differ significantly"
            if subject == "segmentation":
                mean += (
                    f"; the mean change of mIoU is {number(own.natural.mean(), sign=True)} by dusk "
                    f"and {number(own.synthetic.mean(), sign=True)} by {made}"
                )
            lines.append(f"{words}{mean}.")
    return " ".join(lines)


def light_lines(light: Light | None, labels: Mapping[str, str]) -> list[str]:
    """Return for each measure whether dusk or the ladder is significantly worse."""
    if light is None:
        return []
    lines = []
    made = _made(light)
    for measure, own in light.matched.dropna(subset=["difference"]).groupby("measure", sort=False):
        more, less, alike = _worse(own)
        parts = [
            f"{labels.get(r.model, r.model)} "
            f"{estimate(r.difference, r.difference_low, r.difference_high, sign=True)}"
            for r in own[interval_sign(own.difference_low, own.difference_high) != 0].itertuples()
        ]
        told = f" (dusk minus {made}: {listing(parts)})" if parts else ""
        lines.append(
            f"**{NAMES[measure]}**: of {len(own)} models dusk is worse than {made} for {more}, "
            f"better for {less}, and not significantly different for {alike}{told}."
        )
    return lines


def unsafe_words(light: Light | None) -> str:
    """Return how the share of unsafe frames differs between day and dusk, which moves SMR."""
    if light is None:
        return ""
    unsafe = light.luma.set_index("light").unsafe
    return (
        f"Of the day frames {percent(unsafe['clean'])} are unsafe by the label, of the dusk frames "
        f"{percent(unsafe[DUSK])}. A model that calls nearly everything unsafe misjudges fewer of "
        "the latter whatever the light, and the reverse: the change of SMR by dusk is also one of "
        "traffic."
    )


def _made(light: Light) -> str:
    return "Table 1" if light.nearest is None else light.nearest


def _worse(own: pd.DataFrame) -> tuple[int, int, int]:
    """Return for how many rows dusk is significantly worse, better, and neither."""
    sign = interval_sign(own.difference_low, own.difference_high)
    worse = np.where(own.measure.isin(("miou", "f1")), -sign, sign)
    return tuple(int((worse == side).sum()) for side in (1, -1, 0))

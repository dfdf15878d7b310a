"""The paper's words of degree as numbers: one bound each, and another that one could have taken.

The paper gives no bounds. Where two are defensible, ours is the one that favours the text; what the
other would change is shown (`analysis.claims.verdicts.other_bounds`).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BANDS", "BOUNDS", "CRITICAL", "QUOTED", "STRUCTURE", "Band", "Bound"]

# Classes that Sections 3.4 and 6.1 name as safety-critical, and as structural.
CRITICAL = ("person", "rider", "bicycle", "traffic sign", "traffic light")
STRUCTURE = ("road", "sidewalk", "building", "vegetation", "sky")

# Numbers that Section 6.1 quotes: segmenter, condition, mIoU.
QUOTED = (
    ("DeepLabV3+", "clean", 0.77), ("SegFormer", "clean", 0.66), ("Mask2Former", "clean", 0.64),
    ("DeepLabV3+", "LL3", 0.26), ("SegFormer", "LL3", 0.26),
)  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """A number for a word of the paper.

    Attributes:
        word: of the paper.
        value: the bound that is used everywhere.
        other: another bound, for comparison.
        why: what speaks for the value, in one sentence.
    """

    word: str
    value: float
    other: float
    why: str


BOUNDS: dict[str, Bound] = {
    "moderate": Bound(
        "moderate drop", 0.25, 0.15, "share of the clean mIoU: a quarter is the largest loss that "
        "few would call severe",
    ),
    "near zero": Bound("near-zero IoU", 0.05, 0.10, "one twentieth, so that nearly nothing is hit"),
    "coherent": Bound("coherent", 0.5, 0.7, "IoU: more of a class is right than wrong"),
    "high": Bound(
        "COR remains high", 0.5, 0.75, "more images with an omission than without: the lowest rate "
        "that can be called high",
    ),
    "saturated": Bound(
        "SMR approaches saturation", 0.9, 0.95, "nine of ten answers fail: approaching is not "
        "reaching",
    ),
    "small": Bound("small changes in mIoU", 0.05, 0.02, "five points of mIoU, seldom significant"),
    "large": Bound("large increases", 0.10, 0.20, "one image in ten changes sides"),
    "weak": Bound(
        "weak correlation", 0.5, 0.3, "|r|: below it less than a quarter of the variance is shared"
    ),
    "minimal": Bound(
        "minimal correlation", 0.3, 0.1, "|r|: Cohen (1988) calls 0.3 medium, so less is small"
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Band:
    """What the paper says of a metric's correlation with mIoU, and the band that it is read as.

    Attributes:
        words: the paper's, from Section 6.3.
        low, high: coefficients that the words are taken to mean, low <= r < high.
    """

    words: str
    low: float
    high: float

    def holds(self, r: float) -> bool:
        """Return whether a coefficient lies in the band (False for NaN)."""
        return self.low <= r < self.high


_WEAK, _MINIMAL = BOUNDS["weak"].value, BOUNDS["minimal"].value

# Cohen (1988) calls 0.3 to 0.5 medium, others call 0.5 to 0.7 moderate. The band of "moderate"
# holds both, which is the reading most favourable to the claim.
BANDS: dict[str, Band] = {
    "hr": Band("weak and inconsistent", -_WEAK, _WEAK),
    "cor": Band("moderate negative", -0.7, -0.3),
    "smr": Band("minimal", -_MINIMAL, _MINIMAL),
}

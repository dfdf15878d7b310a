"""The empirical claims of the paper, each with the cells by which it is judged.

A clause of the claim is quoted and its place named.
"""

from __future__ import annotations

from dataclasses import dataclass

from vlmis_utils.analysis.claims import comparisons as cells
from vlmis_utils.analysis.claims.comparisons import Cells

__all__ = ["CLAIMS", "Claim"]


@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Attributes:
        place: where it is made.
        clause: its words, at most a clause.
        test: what each cell compares, in words.
        quantifier: of `analysis.claims.decision.QUANTIFIERS`.
        cells: from a source to the cells.
        see: where the book shows the numbers, as a MyST reference.
    """

    place: str
    clause: str
    test: str
    quantifier: str
    cells: Cells
    see: str


_QUALITY, _CLASSES = "{numref}`tab-miou`", "{numref}`fig-class-iou`"
_RATES, _CHANGES = "{ref}`vlm-results`", "{ref}`review-change`"
_SCATTER = "{ref}`review-levels`"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Abstract",
        "only moderate drops in conventional segmentation metrics",
        f"mIoU loses at most {cells.MODERATE:.0%} of its clean value",
        "every",
        cells.moderate(""),
        _QUALITY,
    ),
    Claim(
        "Section 6.1",
        "mild corruptions … lead to moderate performance drops",
        f"at severity 1, mIoU loses at most {cells.MODERATE:.0%} of its clean value",
        "every",
        cells.moderate("1"),
        _QUALITY,
    ),
    Claim(
        "Abstract",
        "hallucinated object mentions",
        "HR above clean",
        "some",
        cells.rises("hr"),
        _CHANGES,
    ),
    Claim(
        "Abstract",
        "omission of safety-critical entities",
        "COR above clean",
        "some",
        cells.rises("cor"),
        _CHANGES,
    ),
    Claim(
        "Abstract",
        "inconsistent safety judgments",
        "SMR above clean",
        "some",
        cells.rises("smr"),
        _CHANGES,
    ),
    Claim(
        "Caption of Figure 2",
        "mIoU decreases monotonically with corruption severity",
        "mIoU falls from each severity to the next",
        "every",
        cells.monotone,
        _QUALITY,
    ),
    Claim(
        "Section 6.1",
        "safety-critical categories … exhibit disproportionately rapid degradation",
        "the critical classes keep a smaller share of their clean IoU than the structural ones",
        "most",
        cells.disproportionate,
        _CLASSES,
    ),
    Claim(
        "Section 6.1",
        "several of these classes approach near-zero IoU",
        f"under LL3 or OCC3, critical classes have IoU below {cells.NEAR_ZERO}",
        "several",
        cells.near_zero,
        _CLASSES,
    ),
    Claim(
        "Section 6.1",
        "large structural classes … remain visually coherent",
        f"under LL3 and OCC3, road and building have IoU above {cells.COHERENT}",
        "every",
        cells.coherent,
        _CLASSES,
    ),
    Claim(
        "Section 6.1",
        "DeepLabV3+ achieves the highest mIoU",
        "on clean images, ahead of each other segmenter",
        "every",
        cells.deeplab_first,
        _QUALITY,
    ),
    Claim(
        "Section 6.1",
        "low-light corruption is particularly harmful",
        "mIoU under LL3 is below that under MB3 and OCC3",
        "every",
        cells.dark_is_worst,
        _QUALITY,
    ),
    Claim(
        "Section 6.2",
        "for CLIP, HR increases notably under low-light and motion blur",
        "HR of CLIP above clean under LL and MB",
        "most",
        cells.rises("hr", "CLIP", ("LL", "MB")),
        _CHANGES,
    ),
    Claim(
        "Section 6.2",
        "COR remains persistently high across conditions",
        f"COR of CLIP above {cells.HIGH}",
        "every",
        cells.level("cor", "CLIP", cells.HIGH),
        _RATES,
    ),
    Claim(
        "Caption of Table 4",
        "degradation substantially increases semantic misalignment",
        "HR, COR and SMR of CLIP above clean",
        "most",
        cells.clip_rises,
        _CHANGES,
    ),
    Claim(
        "Section 6.2",
        "SMR exhibits non-monotonic behavior",
        "SMR of CLIP rises from one severity to the next",
        "both ways",
        cells.smr_steps,
        _CHANGES,
    ),
    Claim(
        "Section 6.2",
        "SigLIP shows lower HR overall compared to CLIP",
        "HR of SigLIP below that of CLIP",
        "most",
        cells.siglip_below_clip,
        _RATES,
    ),
    Claim(
        "Section 6.2",
        "SMR consistently exceeds 0.7",
        "SMR of SigLIP above 0.7",
        "every",
        cells.level("smr", "SigLIP", 0.7),
        _RATES,
    ),
    Claim(
        "Section 6.2",
        "Qwen2-VL exhibits comparatively lower HR and COR",
        "HR or COR of Qwen2-VL below that of another VLM",
        "several",
        cells.qwen_below_others,
        _RATES,
    ),
    Claim(
        "Section 6.2",
        "SMR approaches saturation across nearly all conditions",
        f"SMR of Qwen2-VL above {cells.SATURATED}",
        "most",
        cells.level("smr", "Qwen2-VL", cells.SATURATED),
        _RATES,
    ),
    Claim(
        "Section 6.2",
        "largely driven by … ambiguous or uncertain safety responses",
        "abstention is more than half of Qwen2-VL's SMR",
        "most",
        cells.abstention,
        _RATES,
    ),
    Claim(
        "Section 6.2",
        "degradation induces qualitatively different failure modes",
        "two VLMs differ in their mean rise of a metric",
        "some",
        cells.different,
        _CHANGES,
    ),
    Claim(
        "Section 6.3",
        "COR shows a moderate negative correlation with mIoU",
        "the correlation over conditions is negative",
        "most",
        cells.correlates("cor"),
        _SCATTER,
    ),
    Claim(
        "Section 6.3",
        "HR exhibits weak and inconsistent correlation",
        f"the correlation over conditions is within ±{cells.WEAK}",
        "most",
        cells.weakly(cells.WEAK, "hr"),
        _SCATTER,
    ),
    Claim(
        "Section 6.3",
        "SMR demonstrates minimal correlation with mIoU across all … models",
        f"the correlation over conditions is within ±{cells.MINIMAL}",
        "every",
        cells.weakly(cells.MINIMAL, "smr"),
        _SCATTER,
    ),
    Claim(
        "Section 6.3",
        "small changes in mIoU accompanied by large increases in HR, COR, or SMR",
        f"mIoU loses under {cells.SMALL_DROP} while a metric rises over {cells.LARGE_RISE}",
        "several",
        cells.small_drop_large_rise,
        _CHANGES,
    ),
    Claim(
        "Section 6.3",
        "for Qwen2-VL, safety reasoning failures persist",
        "SMR of Qwen2-VL above 0.5, which a coin reaches, under every condition",
        "every",
        cells.level("smr", "Qwen2-VL", 0.5),
        _RATES,
    ),
    Claim(
        "Section 8",
        "weak and inconsistent correlation with multimodal semantic reliability",
        f"the correlation over conditions is within ±{cells.WEAK}",
        "most",
        cells.weakly(cells.WEAK, "hr", "cor", "smr"),
        _SCATTER,
    ),
)

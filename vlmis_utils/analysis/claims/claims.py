"""The one registry of the paper's empirical claims, each with the cells by which it is judged.

A clause of the claim is quoted and its place named. The paper's words of degree are read by
`analysis.paper.bounds`, one bound each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vlmis_utils.analysis.claims import comparisons as compare
from vlmis_utils.analysis.claims.comparisons import Compare
from vlmis_utils.analysis.claims.decision import Cell
from vlmis_utils.analysis.claims.sources import Source
from vlmis_utils.analysis.paper.bounds import BOUNDS

__all__ = ["CLAIMS", "Claim"]


@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Attributes:
        place: where it is made.
        clause: its words, at most a clause.
        test: what each cell compares, in words; {} stands for a bound.
        quantifier: of `analysis.claims.decision.QUANTIFIERS`.
        compare: from a source and the bounds to the cells.
        see: where the book shows the numbers, as a MyST reference.
        bounds: keys of `analysis.paper.bounds.BOUNDS`.
        tables_only: whether it speaks of the paper's own numbers, which a run does not repeat.
    """

    place: str
    clause: str
    test: str
    quantifier: str
    compare: Compare
    see: str
    bounds: tuple[str, ...] = ()
    tables_only: bool = False

    def cells(self, source: Source, bounds: Mapping[str, float] | None = None) -> Iterator[Cell]:
        """Return the cells in a source, with other bounds if given."""
        values = (bounds or {key: BOUNDS[key].value for key in self.bounds}).values()
        return self.compare(source, *values)

    @property
    def rule(self) -> str:
        """The test with its bounds."""
        return self.test.format(*(f"{BOUNDS[key].value:g}" for key in self.bounds))


_QUALITY, _CLASSES = "{numref}`tab-miou`", "{numref}`fig-class-iou`"
_RATES, _CHANGES = "{ref}`vlm-results`", "{ref}`review-change`"
_SCATTER, _AUDIT = "{ref}`review-levels`", "{ref}`audit-text`"

CLAIMS: tuple[Claim, ...] = (
    Claim("Section 6.1", "mIoU on clean images, and under LL3, as quoted",
          "the quoted number is the cell of Table 3", "every", compare.quoted, _AUDIT,
          tables_only=True),
    Claim("Abstract", "only moderate drops in conventional segmentation metrics",
          "mIoU loses at most {} of its clean value", "every", compare.moderate(""), _QUALITY,
          ("moderate",)),
    Claim("Section 6.1", "mild corruptions … lead to moderate performance drops",
          "at severity 1, mIoU loses at most {} of its clean value", "every",
          compare.moderate("1"), _QUALITY, ("moderate",)),
    Claim("Abstract", "hallucinated object mentions", "HR above clean", "some",
          compare.rises("hr"), _CHANGES),
    Claim("Abstract", "omission of safety-critical entities", "COR above clean", "some",
          compare.rises("cor"), _CHANGES),
    Claim("Abstract", "inconsistent safety judgments", "SMR above clean", "some",
          compare.rises("smr"), _CHANGES),
    Claim("Caption of Figure 2", "mIoU decreases monotonically with corruption severity",
          "mIoU falls from each severity to the next", "every", compare.monotone, _QUALITY),
    Claim("Section 6.1",
          "safety-critical categories … exhibit disproportionately rapid degradation",
          "the critical classes keep a smaller share of their clean IoU than the structural ones",
          "most", compare.disproportionate, _CLASSES),
    Claim("Section 6.1", "several of these classes approach near-zero IoU",
          "under LL3 or OCC3, critical classes have IoU below {}", "several", compare.near_zero,
          _CLASSES, ("near zero",)),
    Claim("Section 6.1", "large structural classes … remain visually coherent",
          "under LL3 and OCC3, road and building have IoU above {}", "every", compare.coherent,
          _CLASSES, ("coherent",)),
    Claim("Section 6.1", "DeepLabV3+ achieves the highest mIoU",
          "on clean images, ahead of each other segmenter", "every", compare.first_segmenter,
          _QUALITY),
    Claim("Section 6.1", "low-light corruption is particularly harmful",
          "mIoU under LL3 is below that under MB3 and OCC3", "every", compare.low_light_worst,
          _QUALITY),
    Claim("Section 6.1", "motion blur and occlusion … more gradual degradation",
          "their steepest step of mIoU is less steep than that of low light", "most",
          compare.gradual, _QUALITY),
    Claim("Section 6.2", "for CLIP, HR increases notably under low-light and motion blur",
          "HR of CLIP above clean under LL and MB", "most",
          compare.rises("hr", label="CLIP", kinds=("LL", "MB")), _CHANGES),
    Claim("Section 6.2", "COR remains persistently high across conditions",
          "COR of CLIP above {}", "every", compare.level("cor", "CLIP"), _RATES, ("high",)),
    Claim("Section 6.2", "COR remains high", "COR of SigLIP above {}", "every",
          compare.level("cor", "SigLIP"), _RATES, ("high",)),
    Claim("Caption of Table 4", "degradation substantially increases semantic misalignment",
          "HR, COR and SMR of CLIP above clean", "most",
          compare.rises(*compare.METRICS, label="CLIP"), _CHANGES),
    Claim("Section 6.2", "SMR exhibits non-monotonic behavior",
          "SMR of CLIP rises from one severity to the next", "both ways", compare.smr_steps,
          _CHANGES),
    Claim("Section 6.2", "SigLIP shows lower HR overall compared to CLIP",
          "HR of SigLIP below that of CLIP", "most",
          compare.lower_rate("SigLIP", "hr", others=("CLIP",)), _RATES),
    Claim("Section 6.2", "lower HR … particularly under occlusion",
          "the mean gap to CLIP is larger under OCC than under LL, and MB", "every",
          compare.larger_gap, _RATES),
    Claim("Section 6.2", "SMR consistently exceeds 0.7", "SMR of SigLIP above 0.7", "every",
          lambda source: compare.level("smr", "SigLIP")(source, 0.7), _RATES),
    Claim("Section 6.2", "Qwen2-VL exhibits comparatively lower HR and COR",
          "HR or COR of Qwen2-VL below that of another VLM", "several",
          compare.lower_rate("Qwen2-VL", "hr", "cor"), _RATES),
    Claim("Section 6.2", "SMR approaches saturation across nearly all conditions",
          "SMR of Qwen2-VL above {}", "most", compare.level("smr", "Qwen2-VL"), _RATES,
          ("saturated",)),
    Claim("Section 6.2", "largely driven by … ambiguous or uncertain safety responses",
          "abstention is more than half of Qwen2-VL's SMR", "most", compare.abstention, _RATES),
    Claim("Section 6.2", "degradation induces qualitatively different failure modes",
          "two VLMs differ in their mean rise of a metric", "some", compare.different, _CHANGES),
    Claim("Section 6.3", "COR shows a moderate negative correlation with mIoU",
          "the correlation over conditions is negative", "most", compare.correlates("cor"),
          _SCATTER),
    Claim("Section 6.3", "HR exhibits weak and inconsistent correlation",
          "the correlation over conditions is within ±{}", "most", compare.weakly("hr"), _SCATTER,
          ("weak",)),
    Claim("Section 6.3", "SMR demonstrates minimal correlation with mIoU across all … models",
          "the correlation over conditions is within ±{}", "every", compare.weakly("smr"),
          _SCATTER, ("minimal",)),
    Claim("Section 6.3",
          "small changes in mIoU accompanied by large increases in HR, COR, or SMR",
          "mIoU loses under {} while a metric rises over {}", "several",
          compare.small_drop_large_rise, _CHANGES, ("small", "large")),
    Claim("Section 6.3", "for Qwen2-VL, safety reasoning failures persist",
          "SMR of Qwen2-VL above 0.5, which a coin reaches, under every condition", "every",
          lambda source: compare.level("smr", "Qwen2-VL")(source, 0.5), _RATES),
    Claim("Section 8", "weak and inconsistent correlation with multimodal semantic reliability",
          "the correlation over conditions is within ±{}", "most",
          compare.weakly(*compare.METRICS), _SCATTER, ("weak",)),
)  # fmt: skip

"""Where records of photographs are from, and what the cover says of them, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from vlmis_utils.analysis.results import BLANK
from vlmis_utils.analysis.worlds import World
from vlmis_utils.core.storage import place
from vlmis_utils.records.run_info import read_run
from vlmis_utils.report.text.scenes import dataset_words

__all__ = ["cover_line", "origin", "other_weights"]


def origin(world: World) -> str:
    """Return what the scenes of a world are and where their records come from."""
    words = dataset_words(world.results.scenes)
    if not world.kept:
        return f"The records are of this run: {words}."
    study = world.results.records.parent
    return (
        f"The photographs may not be passed on, so this page is made from the records that were "
        f"kept of them in `{study}`: {words}. No model ran for it, and no frame is shown; "
        f"`vlmis run params/{study.name}.yaml -p data_root DIR` measures it again."
    )


def other_weights(one: World, other: World) -> str:
    """Return which models had other weights in one world than in another; nothing where none had.

    Checkpoints are compared by the digests that each run recorded.
    """
    ran, beside = (read_run(place(w.results.records)).get("models", {}) for w in (one, other))
    moved = [n for n in ran if n in beside and ran[n].get("digest") != beside[n].get("digest")]
    if not moved:
        return ""
    names = ", ".join(f"`{name}`" for name in moved)
    return (
        f"Not the same weights: on {other.name} and on {one.name} different checkpoints of these "
        f"models were measured, one trained longer than the other: {names}. Compare the signs of "
        "changes between the two, rather than levels."
    )


def cover_line(worlds: Mapping[str, World]) -> str:
    """Return what became of the cover's findings on the photographs of which records are kept.

    Args:
        worlds: from `analysis.worlds.open_worlds`.
    """
    lines, held = [], []
    for name, world in worlds.items():
        if not world.kept:
            continue
        moved = world.summary("misalignment_changes")
        moved = moved[(moved.metric == "cor") & (moved.condition != BLANK)]
        found = world.summary("correlations")
        found = found[(found.metric == "smr") & (found.method == "spearman")]
        over, between = (found[found.over == o] for o in ("conditions", "between"))
        more, apart = moved.low > 0, over.high < 0
        held += [more.mean() > 0.5, apart.mean() > 0.5]
        lines.append(
            f"On {len(world.results.scenes)} frames of {name}, models leave out what matters more "
            f"often than on clean images in {more.sum()} of {len(more)} comparisons; a low mIoU "
            f"tells which conditions are dangerous in {apart.sum()} of {len(apart)} pairs of "
            f"models, and which image is in {int((between.high < 0).sum())}."
        )
    if not lines:
        return ""
    whole = "all of this" if all(held) else "part of this" if any(held) else "nothing of this"
    return (
        f"**On photographs, {whole} shows again.** {' '.join(lines)} Each is counted where its "
        "95 % interval excludes zero, with models that saw photographs in training. "
        "{ref}`Which findings hold on photographs too <photographs-carry-over>`."
    )

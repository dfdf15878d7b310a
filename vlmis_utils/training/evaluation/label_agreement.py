"""How well the rules for photographs find the geometric safety label, on StreetWorld.

``python -m vlmis_utils.training.evaluation.label_agreement`` writes ``label_agreement.csv``:
sensitivity and specificity of the flat-ground rule, with each scene's own camera, and of the
trapezoid, against the label that the generator knows. It is the noise of the labels of photographs
as far as StreetWorld can tell: there roads are flat, and label maps exact.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vlmis_utils.datasets.streetworld import open_streetworld, world_seed
from vlmis_utils.protocol.ground_corridor import Camera, ground_rule
from vlmis_utils.protocol.image_corridor import image_rule
from vlmis_utils.statistics.power import rate_interval
from vlmis_utils.streetworld.scene import layout
from vlmis_utils.streetworld.version import world_version
from vlmis_utils.streetworld.world import settle
from vlmis_utils.training.evaluation import held_out, store

__all__ = ["FILE", "REFERENCES", "RULES", "camera_of", "compared", "judged", "main"]

FILE = "label_agreement.csv"
RULES = ("flat ground", "trapezoid")
# Label maps show neither the colour of a light nor what a sign says, nor motion. So the rules are
# held against the whole label, and against the part that they can know.
REFERENCES = ("whole label", "road user in the corridor")


def camera_of(camera: layout.Camera) -> Camera:
    """Return a generator's camera as the flat-ground rule takes it.

    The generator counts pitch up and yaw to the left; it turns by the pitch first.
    """
    focal = 0.5 / np.tan(camera.fov / 2)
    column = 0.5 + focal * np.tan(camera.yaw) / np.cos(camera.pitch)
    return Camera(float(focal), camera.height, -camera.pitch, float(column))


def judged(limit: int = held_out.SCENES, seed: int = held_out.SEED) -> pd.DataFrame:
    """Judge StreetWorld's test scenes by the two rules; those that the cache lacks are rendered.

    Args:
        limit: scenes.
        seed: of the world, by default that of `held_out`.

    Returns:
        scene_id, safe and reason by geometry, and a column of `RULES` each: safe by that rule.
    """
    rows = []
    for scene in open_streetworld(held_out.SPLIT, limit, seed):
        frame = scene.frame()
        plan = settle(world_seed(scene.split, seed), scene.index).stage.plan
        found = ground_rule(frame.labels, camera_of(plan.camera)), image_rule(frame.labels)
        verdicts = dict(zip(RULES, (safe for safe, _ in found), strict=True))
        about = {"scene_id": scene.scene_id, "safe": frame.safe, "reason": frame.safety_reason}
        rows.append(about | verdicts)
    return pd.DataFrame(rows)


def compared(scenes: pd.DataFrame) -> pd.DataFrame:
    """Count how the rules agree with geometry; *unsafe* is the positive.

    Args:
        scenes: from `judged`.

    Returns:
        rule, against (of `REFERENCES`), measure (sensitivity or specificity), value, its Wilson
        interval low and high, and n, the scenes that it is a share of; NaN where n is 0.
    """
    unsafe = ~scenes.safe.to_numpy(bool)
    inside = scenes.reason.str.contains(" in corridor ").to_numpy(bool)
    rows: list[dict[str, Any]] = []
    for rule in RULES:
        said = ~scenes[rule].to_numpy(bool)
        for reference, truth in zip(REFERENCES, (unsafe, inside), strict=True):
            for measure, right in (("sensitivity", said[truth]), ("specificity", ~said[~truth])):
                hits, n = int(right.sum()), len(right)
                low, high = rate_interval(hits, n) if n else (np.nan, np.nan)
                rows.append(
                    {
                        "rule": rule, "against": reference, "measure": measure,
                        "value": hits / n if n else np.nan, "low": low, "high": high, "n": n,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write the file, and return the exit code."""
    parser = argparse.ArgumentParser(
        "python -m vlmis_utils.training.evaluation.label_agreement", None, __doc__
    )
    parser.add_argument("--scenes", type=int, default=held_out.SCENES)
    parser.add_argument("--out", type=Path, default=store.FOLDER, help=f"folder of {FILE}")
    options = parser.parse_args(argv)
    found = compared(judged(options.scenes))
    world = f"streetworld-{held_out.SPLIT}-{held_out.SEED}, {options.scenes} scenes"
    about = {"world": world_version(), "scenes": world}
    store.write(FILE, found.assign(**about)[[*about, *found.columns]], options.out)
    print(found.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())

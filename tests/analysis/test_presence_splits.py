"""Which absent classes are asked about: by loops over scenes, and a model that guesses by habit."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.presence_splits import SPLITS, presence_splits
from vlmis_utils.analysis.results import Results


def test_shares_are_those_of_a_loop(tmp_path: Path) -> None:
    results = Results(write_records(tmp_path / "records", scenes=9), bootstrap=20)
    asked = results.presence_answers()
    clean = asked[(asked.vlm == "clip") & (asked.condition == "clean")]
    held = {s: set(g[g.truth]["class"]) for s, g in clean.groupby("scene_id")}
    classes = sorted(clean["class"].unique())
    said = {(r.scene_id, r["class"]): r.word == "yes" for _, r in clean.iterrows()}
    shares: dict[str, list[float]] = {split: [] for split in SPLITS}
    for scene, own in held.items():
        absent = [c for c in classes if c not in own]
        others = [h for s, h in held.items() if s != scene]
        often = {c: sum(c in h for h in others) for c in absent}
        fits = {c: sum(len(own & h) for h in others if c in h) for c in absent}
        chosen = {
            "random": absent,
            "popular": sorted(absent, key=lambda c: -often[c])[: -(-len(absent) // 2)],
            "adversarial": sorted(absent, key=lambda c: -fits[c])[: -(-len(absent) // 2)],
        }
        for split, picked in chosen.items():
            if picked:
                shares[split].append(sum(said[scene, c] for c in picked) / len(picked))
    found = presence_splits(results).set_index(["vlm", "condition", "split"])
    for split, values in shares.items():
        row = found.loc[("clip", "clean", split)]
        assert row.yes == pytest.approx(sum(values) / len(values))
        assert row.scenes == len(values) and row.low <= row.yes <= row.high


def test_who_says_yes_to_what_is_frequent_is_found_out() -> None:
    rows = []
    for scene in range(20):
        for name, every in (("car", 1), ("bus", 2), ("truck", 3), ("bicycle", 4), ("train", 21)):
            there = scene % every == 0 and not (name == "car" and scene in (3, 5))
            word = "yes" if name in ("car", "bus", "truck") else "no"
            rows.append({"vlm": "habit", "condition": "clean", "scene_id": scene, "class": name,
                         "word": word, "truth": there})  # fmt: skip
    found = presence_splits(
        SimpleNamespace(presence_answers=lambda: pd.DataFrame(rows), bootstrap=20)
    )
    yes = found.set_index("split").yes
    assert yes["popular"] > yes["random"]

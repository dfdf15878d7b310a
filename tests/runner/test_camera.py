"""A study's camera: part of what its scenes are, and of nothing that a model sees."""

from __future__ import annotations

from pathlib import Path

from tests.helpers import fakes
from vlmis_utils.records.store import read_table
from vlmis_utils.runner import run


def test_another_camera_asks_for_other_scenes_but_for_no_model(tmp_path: Path) -> None:
    keys = []
    for pitch in (None, 0.0, 0.1):
        told = {} if pitch is None else {"camera_focal": 1.0, "camera_height": 1.2}
        study = fakes.make_study(
            tmp_path, 3, conditions=("clean",), vlms=("scorer",), camera_pitch=pitch, **told
        )
        first = run.plan(study, fakes.LOADERS)
        run.run(study, tables={"conditions"}, loaders=fakes.LOADERS)
        assert len(read_table(study.records, "scenes")) == 3
        keys.append({unit.table: unit.key for unit in run.plan(study, fakes.LOADERS)})
        assert first[0].key == keys[-1]["scenes"]
    assert len({key["scenes"] for key in keys}) == 3
    assert len({key["conditions"] for key in keys}) == 1

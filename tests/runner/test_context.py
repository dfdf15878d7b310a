"""What a run opens once, and opens anew for the next run."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.helpers import fakes
from vlmis_utils.core.errors import UserError
from vlmis_utils.runner.context import Loaders, context_of, hosted, open_context


def test_a_process_has_one_context_until_it_is_opened_again(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, 3)
    context = open_context(study, fakes.LOADERS)
    assert context_of(study, fakes.LOADERS, "cpu") is context
    assert context.scenes is context.scenes and context.store is context.store
    other = open_context(study, fakes.LOADERS)
    assert other is not context and context_of(study, fakes.LOADERS, "cpu") is other


def test_one_model_is_kept_and_the_last_is_given_back_before_the_next(tmp_path: Path) -> None:
    alive: list[str] = []

    class Model(fakes.FakeVlm):
        def __init__(self, name: str) -> None:
            assert not alive, "two models at once"
            super().__init__(name)
            alive.append(name)

        def __del__(self) -> None:
            alive.remove(self.name)

    loaders = Loaders(fakes.load_segmenter, lambda entry, device="cpu": Model(entry.name))
    context = open_context(fakes.make_study(tmp_path, 2), loaders)
    talker, scorer = (context.catalogue[name] for name in ("talker", "scorer"))
    first = context.model(talker)
    assert context.model(talker) is first
    del first
    context.model(scorer)
    assert alive == ["scorer"]
    context.release_model()
    assert not alive
    assert isinstance(context.model(context.catalogue["blocks"]), fakes.FakeSegmenter)


def test_sizes_are_found_without_pixels_and_damaged_files_left_out(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, 4)
    Image.new("RGB", (16, 12)).save(tmp_path / "data" / "test" / "a_01.png")
    (tmp_path / "data" / "test" / "a_02.png").write_bytes(b"no picture")
    assert open_context(study, fakes.LOADERS).sizes == [(12, 16), (fakes.HEIGHT, fakes.WIDTH)]


def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cuda:99"):
        open_context(fakes.make_study(tmp_path, 2, device="cuda:99"), fakes.LOADERS)


def test_hosted_models_are_known_by_their_library(tmp_path: Path) -> None:
    entry = open_context(fakes.make_study(tmp_path, 2), fakes.LOADERS).catalogue["talker"]
    assert not hosted(entry) and not hosted(None)
    assert hosted(type("Entry", (), {"library": "openai"})())

"""The model catalogue: what it holds, and what it says when it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from vlmis_utils.core.errors import UserError
from vlmis_utils.models.vlm.loading import LIBRARIES as VLM_LIBRARIES
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.models import (
    LIBRARIES,
    ModelEntry,
    checkpoint_path,
    find_model,
    load_catalogue,
)

EMBEDDED = ("deeplabv3plus", "segformer", "mask2former", "clip", "siglip", "qwen2-vl")


def write(folder: Path, text: str) -> Path:
    path = folder / "models.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_embedded_six_say_what_they_are() -> None:
    catalogue = load_catalogue()
    for name in EMBEDDED:
        entry = catalogue[name]
        assert entry.shown.endswith("architecture, StreetWorld checkpoint")
        assert entry.checkpoint == f"vlmis_utils/training/checkpoints/{name}"
        assert entry.revision is None
        assert len(entry.label) <= 12
    assert [catalogue[n].kind for n in EMBEDDED] == ["segmenter"] * 3 + ["vlm"] * 3
    assert len({catalogue[n].label for n in EMBEDDED}) == 6


def test_a_public_checkpoint_for_each_library() -> None:
    public = [e for n, e in load_catalogue().items() if n not in EMBEDDED]
    assert {e.library for e in public} == set(LIBRARIES) - {"onnx"}  # whose files are the user's


def test_every_entry_has_a_revision_key_and_no_invented_commit() -> None:
    raw = yaml.safe_load(Path("params/models.yaml").read_text(encoding="utf-8"))
    assert all("revision" in fields for fields in raw.values())
    pins = [fields["revision"] for fields in raw.values() if fields["revision"] is not None]
    assert all(re.fullmatch("[0-9a-f]{40}", pin) for pin in pins) and len(set(pins)) == len(pins)


def test_vlm_libraries_agree() -> None:
    assert {lib for lib, kind in LIBRARIES.items() if kind == "vlm"} == set(VLM_LIBRARIES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("m: {library: open_clip, checkpoint: a/b, revison: x}", "did you mean 'revision'"),
        ("m: {library: openclip, checkpoint: a/b}", "did you mean 'open_clip'"),
        ("m: {library: open_clip}", "checkpoint is missing"),
        ("m: {checkpoint: a/b}", "library is missing"),
        ("m: {library: open_clip, checkpoint: a/b, kind: segmenter}", "loads a vlm"),
        ("m: {library: open_clip, checkpoint: a/b, kind: vlms}", "did you mean 'vlm'"),
        ("m: {library: open_clip, checkpoint: 5}", "must be text"),
        ("m: {library: open_clip, checkpoint: a/b, revision: 1234567}", "put it in quotes"),
        ("m: {library: open_clip, checkpoint: a/b, options: 3}", "options must be a mapping"),
        ("m: just text", "must be a mapping"),
        ("- a\n- b", "must map model names"),
        ("", "must map model names"),
        ("m: [", "cannot be read as YAML"),
    ],
)
def test_bad_catalogues(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        load_catalogue(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_missing_catalogue(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read model catalogue"):
        load_catalogue(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="cannot read model catalogue"):
        load_catalogue(tmp_path)


def test_kind_follows_from_the_library(tmp_path: Path) -> None:
    text = "m: {library: openai, checkpoint: some-model, options: {retries: 2, list: [1, 2]}}"
    entry = load_catalogue(write(tmp_path, text))["m"]
    assert (entry.kind, entry.shown, entry.label) == ("vlm", "m", "m")
    assert (entry.option("retries"), entry.option("list"), entry.option("x", 9)) == (2, (1, 2), 9)
    assert hash(entry) == hash(load_catalogue(tmp_path / "models.yaml")["m"])


def test_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(EMBEDDED) <= set(load_catalogue())


def test_find_model() -> None:
    catalogue = load_catalogue()
    assert find_model(catalogue, "clip", "vlm").name == "clip"
    with pytest.raises(UserError, match="did you mean 'segformer'"):
        find_model(catalogue, "segfomer", "segmenter")
    with pytest.raises(UserError, match="is a vlm, not a segmenter"):
        find_model(catalogue, "clip", "segmenter")


@pytest.mark.parametrize(
    ("checkpoint", "remedy"),
    [
        ("vlmis_utils/training/checkpoints/no-such-model", "make weights"),
        ("checkpoints/none.pth", "put it there"),
        ("./folder", "put it there"),
        ("/no/such/folder", "put it there"),
    ],
)
def test_missing_checkpoint(checkpoint: str, remedy: str) -> None:
    entry = ModelEntry("m", "segmenter", "deeplabv3plus", checkpoint)
    with pytest.raises(UserError, match=remedy) as caught:
        checkpoint_path(entry)
    assert checkpoint in str(caught.value)


def test_checkpoint_path(tmp_path: Path) -> None:
    local = ModelEntry("m", "vlm", "open_clip", str(tmp_path))
    assert checkpoint_path(local) == tmp_path
    assert checkpoint_path(ModelEntry("m", "vlm", "open_clip", "ViT-B-32/openai")) is None
    assert checkpoint_path(ModelEntry("m", "vlm", "openai", "gpt-4o")) is None


def test_load_vlm_refuses_what_is_none() -> None:
    with pytest.raises(UserError, match="is a segmenter, not a vlm"):
        load_vlm(ModelEntry("m", "segmenter", "deeplabv3plus", "x"))
    with pytest.raises(UserError, match="did you mean 'open_clip'"):
        load_vlm(ModelEntry("m", "vlm", "openclip", "x"))

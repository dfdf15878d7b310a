"""A pointer or a web page where a checkpoint should be is called that, by every loader."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.models.checkpoints import count_parameters
from vlmis_utils.models.convert import read_public
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.models import LIBRARIES, ModelEntry, checkpoint_path

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 500\n"
HTML = b"<!doctype html>\n<html lang=en><title>Sign in</title>"
CASES = [(LFS, "Git LFS pointer.*git lfs pull"), (HTML, "web page"), (b"", "empty file")]
LOCAL = [name for name in LIBRARIES if name != "openai"]


@pytest.mark.parametrize(("content", "words"), CASES)
@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.model"])
@pytest.mark.parametrize("library", LOCAL)
def test_every_library(tmp_path: Path, library: str, file: str, content: bytes, words: str) -> None:
    for name in ("model.safetensors", "config.json", "open_clip_config.json"):
        (tmp_path / name).write_bytes(b"{}")
    (tmp_path / file).write_bytes(content)
    entry = ModelEntry("m", LIBRARIES[library], library, str(tmp_path))
    load = load_segmenter if entry.kind == "segmenter" else load_vlm
    with pytest.raises(UserError, match=f"model 'm': .*{file} is .*{words}") as error:
        load(entry)
    assert "\n" not in str(error.value) and "weights_only" not in str(error.value)


@pytest.mark.parametrize(("content", "words"), CASES)
def test_a_checkpoint_of_one_file(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "deeplab.tflite"
    path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        checkpoint_path(ModelEntry("m", "segmenter", "deeplabv3plus", str(path)))
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(UserError, match=words):
        count_parameters(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [*CASES, (b"no checkpoint at all", "damaged"), (b"PK\x03\x04" + b"\0" * 60, "not read"),
     (b"\x80\x02K\x01.", "holds a int|not read"), (b"\x00" * 500, "not read")],
)  # fmt: skip
def test_converting_never_advises_to_load_unsafely(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "best.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        read_public(path)
    message = str(error.value)
    assert "best.pth" in message and "\n" not in message
    for advice in ("weights_only", "trusted", "arbitrary code", "Re-running"):
        assert advice not in message

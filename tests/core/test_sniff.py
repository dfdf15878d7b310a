"""What lies there instead of a picture or a checkpoint is called by its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlmis_utils.core.sniff import what_is

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LFS, "Git LFS pointer"),
        (LFS.replace(b"\n", b"\r\n"), "git lfs pull"),
        (b"/annex/objects/SHA256E-s1--0.png\n", "git annex get"),
        (b"../../.git/annex/objects/aa/bb/SHA256E-s1--0.pth/SHA256E-s1--0.pth", "git annex get"),
        (b"<!DOCTYPE html>\n<html><body>Sign in", "web page"),
        (b"\xef\xbb\xbf\n  <!doctype HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'>", "web page"),
        (b"<HTML><head>", "web page"),
        (b"<!-- saved from url=(0020) -->\n<html>", "web page"),
        (b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code></Error>", "server's error"),
        (b'{"error": "Repository not found"}', "server's error"),
        (b'{ "message": "Bad credentials"}', "server's error"),
        (b"", "empty file"),
    ],
)
def test_common_mistakes_are_named_with_a_remedy(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert words in what_is(path) and ": " in what_is(path) and "\n" not in what_is(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02}q\x00.", b"PK\x03\x04rest", b'\x18\x00\x00\x00\x00\x00\x00\x00{"a": {}}',
        b"no picture", b"{}", b'{"architectures": ["CLIPModel"]}', b"\xff\xd8\xff\xe0",
        b"version https://example.org/spec", b"a text that mentions <html> later",
    ],
)  # fmt: skip
def test_nothing_is_said_of_what_it_does_not_know(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    assert what_is(path) == ""


def test_real_pictures_folders_and_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)
    assert what_is(path) == what_is(tmp_path) == what_is(tmp_path / "none") == ""

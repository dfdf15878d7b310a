"""What a file really is, where it is not what its name says: a pointer, a web page, nothing."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["what_is"]

_LFS = b"version https://git-lfs.github.com/spec/"
_ANNEX = re.compile(rb"^(/|\.\./|\.git/)?\S*annex/objects/\S+\s*$")
_HTML = re.compile(rb"^\s*(<!--.*?-->\s*)*(<!doctype\s+html|<html|<head|<body)", re.I | re.S)
_XML_ERROR = re.compile(rb"^\s*<\?xml[^>]*>\s*<(error|html)", re.I)
_JSON_ERROR = re.compile(rb"^\s*\{\s*\"(error|message|detail|status)\"", re.I)
_HEAD = 4096


def what_is(path: Path) -> str:
    """Return what lies at a path in place of a picture or a checkpoint, with the remedy.

    Returns:
        such as ``a Git LFS pointer, not the file: run 'git lfs pull' in its repository``; empty
        where none of the usual mistakes is recognised, or nothing can be read there.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(b"<!DOCTYPE html><title>Sign in</title>")
    ...     _ = file.seek(0)
    ...     what_is(Path(file.name))
    'a web page (HTML), not the file: download it again, signed in where the site asks for it'
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return ""
    if not head:
        return "an empty file: copy or download it again"
    head = head.removeprefix(b"\xef\xbb\xbf")
    if head.startswith(_LFS):
        return "a Git LFS pointer, not the file: run 'git lfs pull' in its repository"
    if _ANNEX.match(head):
        return "a git-annex pointer, not the file: run 'git annex get' in its repository"
    if _HTML.match(head):
        return (
            "a web page (HTML), not the file: download it again, signed in where the site asks "
            "for it"
        )
    if _XML_ERROR.match(head) or _JSON_ERROR.match(head):
        return "a server's error message, not the file: download it again"
    return ""

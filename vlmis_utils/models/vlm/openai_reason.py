"""What a server says about a failure, in a line without the key, whatever the form of its reply."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

__all__ = ["names_in", "server_reason", "without_key"]

_PIECE = 12  # characters of a key in a row that give it away

# Where servers put their reason, in the order in which it is told, and the names beside it.
_PLACES = ("message", "msg", "detail", "error", "error_description", "reason", "reasons", "raw",
           "innererror", "metadata")  # fmt: skip
_NAMES = ("code", "param", "loc", "type", "status")


def server_reason(body: str) -> str:
    """Return what a server says about a failure, in one line; empty where it says nothing.

    >>> server_reason('{"error": {"message": "No endpoints found.", "code": 404}}')
    'No endpoints found.'
    """
    page = re.search(r"<title>(.*?)</title>", body, re.I | re.S)
    if page or "<html" in body.lower():
        return " ".join(page[1].split()) if page else ""
    said = "; ".join(dict.fromkeys(filter(None, _strings(_json(body)))))
    return " ".join(said.split()).encode("utf-8", "replace").decode()


def without_key(text: str, key: str) -> str:
    """Return a server's reason without the key, or any piece that would give it away.

    A word of fewer than 8 letters is no secret, but is taken out where it stands alone.

    >>> without_key("Bad key sk-0123456789abc!", "sk-0123456789abc"), without_key("a taxi", "x")
    ('Bad key [key]!', 'a taxi')
    """
    if len(key) < 8:
        return re.sub(rf"(?<!\w){re.escape(key)}(?!\w)", "[key]", text) if key else text
    size = min(len(key), _PIECE)
    pieces = {re.escape(key[i : i + size]) for i in range(len(key) - size + 1)}
    inside = set()
    for found in re.finditer(f"(?=({'|'.join(sorted(pieces))}))", text, re.IGNORECASE):
        inside.update(range(found.start(1), found.end(1)))
    marked = "".join("\0" if i in inside else letter for i, letter in enumerate(text))
    return re.sub("\0+", "[key]", marked)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _strings(value: object) -> Iterator[str]:
    """Yield what is said in a body, from its outside in."""
    if isinstance(value, str):
        inner = _json(value) if value.lstrip().startswith(("{", "[")) else value
        if isinstance(inner, str):
            yield inner.strip()
        else:
            yield from _strings(inner)
    elif isinstance(value, list):
        for part in value[:8]:
            yield from _strings(part)
    elif isinstance(value, Mapping):
        for place in _PLACES:
            yield from _strings(value.get(place))


def names_in(value: object) -> str:
    """Return codes and names of parameters in a body, in a line."""
    if isinstance(value, str):
        value = _json(value)
    if isinstance(value, list):
        return " ".join(map(names_in, value[:8]))
    if not isinstance(value, Mapping):
        return ""
    named = [str(value[name]) for name in _NAMES if value.get(name)]
    return " ".join([*named, *(names_in(value[place]) for place in _PLACES if place in value)])

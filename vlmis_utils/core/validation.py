"""What pydantic finds wrong, in this project's words: every mistake, each with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from vlmis_utils.core.errors import closest, shown

__all__ = ["Flag", "Number", "Problem", "Text", "Whole", "described", "known_as", "listed", "must",
           "problems", "unrepeated"]  # fmt: skip

# Values as YAML gives them: no text taken for a number, no number for a flag, nothing infinite.
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Text = Annotated[str, Field(strict=True)]

# pydantic's kind of error -> how the wanted value is called
_WANTED: dict[str, str] = {
    "bool_type": "true or false", "int_type": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "finite_number": "a finite number", "string_type": "text",
    "dict_type": "a mapping", "tuple_type": "a list", "mapping_type": "a mapping",
    "greater_than_equal": "at least {ge}", "greater_than": "above {gt}",
    "less_than_equal": "at most {le}", "less_than": "below {lt}", "too_short": "a list, not empty",
}  # fmt: skip
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


@dataclass(frozen=True)
class Problem:
    """One mistake: its key, the place in the key's list (None for all of it), and what is wrong."""

    key: str
    place: int | None
    text: str


def must(holds: Callable[[Any], object], words: str) -> AfterValidator:
    """Return a check of a value: ``<key> must be <words>``."""

    def check(value: Any) -> Any:
        if not holds(value):
            raise ValueError(f"must be {words}, not {described(value)}")
        return value

    return AfterValidator(check)


def known_as(what: str, known: Collection[str]) -> AfterValidator:
    """Return a check that a name is known; the message names the closest."""

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"unknown {what} {value!r}{closest(value, known)}")
        return value

    return AfterValidator(check)


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(values)) < len(values):
        raise ValueError(f"names something twice: {', '.join(map(str, values))}")
    return values


listed = BeforeValidator(_tuple)
unrepeated = AfterValidator(_once)


def problems(
    error: ValidationError, given: Mapping[str, object], keys: Iterable[str]
) -> list[Problem]:
    """Return what pydantic found, in the order of the keys that were given.

    Args:
        error: of a model whose fields are `keys`.
        given: what was validated.
        keys: all that are known.
    """
    keys = list(keys)
    found: dict[tuple[str, int | None], str] = {}
    for one in error.errors(include_url=False):
        key, *rest = one["loc"] or ("",)
        place = next((part for part in rest if isinstance(part, int)), None)
        found.setdefault((str(key), place), _words(one, str(key), place, given, keys))
    order = list(map(str, given))
    unique: dict[str, Problem] = {}
    for (key, place), text in found.items():
        unique.setdefault(text, Problem(key, place, text))
    return sorted(unique.values(), key=lambda p: order.index(p.key) if p.key in order else -1)


def _words(
    one: Mapping[str, Any],
    key: str,
    place: int | None,
    given: Mapping[str, object],
    keys: list[str],
) -> str:
    kind, context = one["type"], one.get("ctx", {})
    if kind in _UNKNOWN:
        return f"unknown key {key!r}{closest(key, keys)}"
    if kind in ("missing", "missing_argument"):
        return f"{key} is missing: add a line `{key}: ...`"
    if kind == "value_error":
        text = str(context["error"])
        return f"{key} {text}" if text.startswith(("must ", "names ")) else text
    wanted = _WANTED.get(kind, one["msg"].removeprefix("Input should be ")).format(**context)
    value = one["input"]
    if place is not None and kind.endswith("_type"):
        items = {"text": "text", "a number": "numbers", "a whole number": "whole numbers"}
        wanted, value = f"a list of {items.get(wanted, wanted)}", given.get(key, value)
    return f"{key} must be {wanted}, not {described(value)}"


def described(value: object) -> str:
    """Return a value as a message shows it: what is no plain value is named first.

    >>> described("x"), described([1]), described(None)
    ("'x'", 'a list ([1])', 'nothing (None)')
    """
    value = list(value) if isinstance(value, tuple) else value
    kind = {list: "a list", dict: "a mapping", type(None): "nothing"}.get(type(value))
    return f"{kind} ({shown(value)})" if kind else shown(value)

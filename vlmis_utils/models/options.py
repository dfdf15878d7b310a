"""Options of a catalogue entry, checked by pydantic: all mistakes at once, with the closest key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from vlmis_utils.core.errors import UserError, closest, shown

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["Options", "Text", "Whole", "read_options"]


def _whole(value: object) -> object:
    """Take 256.0 for 256, as YAML and JSON writers do not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
Text = Annotated[str, Field(strict=True)]


class Options(BaseModel):
    """What a catalogue entry may set; the annotations and defaults of a subclass say what."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


O = TypeVar("O", bound=Options)  # noqa: E741


def read_options(kind: type[O], entry: ModelEntry) -> O:
    """Return the options of an entry, defaults filled in.

    Args:
        kind: the options that its library takes.
        entry: of the catalogue.

    Raises:
        UserError: unknown options and wrong values, all of them in one line.
    """
    try:
        return kind.model_validate(dict(entry.options))
    except ValidationError as error:
        problems = "; ".join(_problems(error, kind))
        raise UserError(f"model {entry.name!r}: {problems}") from None


def _problems(error: ValidationError, kind: type[Options]) -> list[str]:
    unknown: list[str] = []
    wrong: dict[str, tuple[list[str], object]] = {}
    for found in error.errors(include_url=False):
        key = str(found["loc"][0]) if found["loc"] else ""
        if found["type"] == "extra_forbidden":
            unknown.append(f"unknown option {key!r}{closest(key, kind.model_fields)}")
            continue
        wanted = found["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        wrong.setdefault(key, ([], found["input"]))[0].append(wanted.partition(", unable")[0])
    return unknown + [
        f"option {key} must be {' or '.join(dict.fromkeys(wanted))}, not {shown(given)}"
        for key, (wanted, given) in wrong.items()
    ]

"""Options of a catalogue entry, checked by pydantic: all mistakes at once, with the closest key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from vlmis_utils.core import validation
from vlmis_utils.core.errors import UserError

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["Options", "Whole", "read_options"]


def _whole(value: object) -> object:
    """Take 256.0 for 256, as writers of YAML do not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[validation.Whole, BeforeValidator(_whole)]


class Options(BaseModel):
    """What a catalogue entry may set; the annotations and defaults of a subclass say what."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


Kind = TypeVar("Kind", bound=Options)


def read_options(kind: type[Kind], entry: ModelEntry) -> Kind:
    """Return the options of an entry, defaults filled in; null stands for the default.

    Args:
        kind: the options that its library takes.
        entry: of the catalogue.

    Raises:
        UserError: unknown options and wrong values, all of them in one line.
    """
    given = {key: value for key, value in entry.options if value is not None}
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        found = [p.text for p in validation.problems(error, given, kind.model_fields)]
        told = (
            text.replace("unknown key", "unknown option", 1)
            if text.startswith("unknown key")
            else f"option {text}"
            for text in found
        )
        raise UserError(f"model {entry.name!r}: {'; '.join(told)}") from None

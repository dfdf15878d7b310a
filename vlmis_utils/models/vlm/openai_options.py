"""Options of a hosted model, and where it is reached: checked before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vlmis_utils.core.errors import UserError, closest

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["DEFAULTS", "checked_options", "connection"]

# Options of a catalogue entry, with their units.
DEFAULTS: dict[str, int | float | str] = {
    "max_tokens": 256,  # tokens of an answer
    "concurrency": 4,  # requests under way at once
    "timeout": 60.0,  # seconds for one request
    "retries": 5,  # after 408, 409, 429, 5xx, lost connections and broken replies
    "detail": "auto",  # image resolution asked for: low, high, auto
    "token_field": "max_tokens",  # newer models want "max_completion_tokens"
    "temperature": 0,  # "default" sends none, for models that refuse any
    "top_logprobs": 0,  # likeliest first tokens to ask for, for p_yes and p_no; 0: none
    "price_in": -1.0,  # US dollars for a million tokens of prompt and image; -1: unknown
    "price_out": -1.0,  # US dollars for a million tokens of answer; -1: unknown
    "key_variable": "OPENAI_API_KEY",  # environment variable that holds the key
    "address_variable": "OPENAI_BASE_URL",  # environment variable that holds the address
}
_LEAST = {
    "timeout": 0.1,
    "retries": 0,
    "top_logprobs": 0,
    "temperature": 0,
    "price_in": -1,
    "price_out": -1,
}


def checked_options(entry: ModelEntry) -> dict[str, int | float | str]:
    """Return all options of an entry, defaults filled in.

    Raises:
        UserError: an unknown option, or a value of another kind or below the least.
    """
    given = dict(entry.options)
    for key, value in given.items():
        if key not in DEFAULTS:
            raise UserError(f"model {entry.name!r}: unknown option {key!r}{closest(key, DEFAULTS)}")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        least = _LEAST.get(key, 1)
        if isinstance(DEFAULTS[key], str):
            if not isinstance(value, str):
                raise UserError(f"model {entry.name!r}: option {key} must be text, not {value!r}")
        elif (key, value) != ("temperature", "default") and (not number or value < least):
            raise UserError(
                f"model {entry.name!r}: option {key} must be a number from {least}, not {value!r}"
            )
    return DEFAULTS | given


def connection(name: str, options: Mapping[str, int | float | str]) -> tuple[str, str | None, str]:
    """Return key, address (None: the client's default), and the server's name without secrets.

    Args:
        name: of the model, for messages.
        options: of `checked_options`.

    Raises:
        UserError: no key in the environment, or an address that is none.
    """
    key = os.environ.get(str(options["key_variable"]), "").strip()
    if not key:
        raise UserError(
            f"model {name!r} needs a key: set the environment variable "
            f"{options['key_variable']} (any word for a server that needs none)"
        )
    variable = str(options["address_variable"])
    address = os.environ.get(variable, "").strip() or None
    if address is None and variable != DEFAULTS["address_variable"]:
        raise UserError(
            f"model {name!r} needs its server's address: set the environment variable "
            f"{variable}, such as http://localhost:8000/v1"
        )
    try:
        parts = urlsplit(address or "https://default")
        server = f"{parts.hostname}:{parts.port}{parts.path}" if address else "default"
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise UserError(f"{variable} must be an address that starts with http:// or https://")
    return key, address, server

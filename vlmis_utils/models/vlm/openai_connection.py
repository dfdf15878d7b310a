"""Where a hosted model is reached: key, address, proxies and certificates of the environment.

All of it is looked at before anything is sent; what cannot work is one line that names the
variable.
"""

from __future__ import annotations

import os
import ssl
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vlmis_utils.core.errors import UserError

if TYPE_CHECKING:
    import openai

    from vlmis_utils.models.vlm.openai_options import OpenAIOptions

__all__ = ["connect", "server_name"]

_PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
_SCHEMES = ("http", "https", "socks5", "socks5h")
_HEADERS = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID")  # that the client sends with the key


def connect(name: str, options: OpenAIOptions) -> tuple[openai.OpenAI, str, str]:
    """Return the client of a model, its key, and its server's name without secrets.

    Sends nothing.

    Args:
        name: of the model, for messages.
        options: give the variables.

    Raises:
        UserError: no key, one that no request can carry, an address that is none, a proxy or a
            certificate file that cannot be used; the message names the variable.
    """
    key = _key(name, options.key_variable)
    for variable in _HEADERS:
        _sendable(variable, os.environ.get(variable, "").strip())
    address = _address(name, options.address_variable)
    _check_proxies()
    _check_certificates()
    import openai

    try:
        # Without an address the client would read OPENAI_BASE_URL by itself, which is then unset.
        client = openai.OpenAI(
            api_key=key, base_url=address, timeout=options.timeout, max_retries=0
        )
    except (OSError, ValueError, ImportError, openai.OpenAIError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"model {name!r}: no client can be made ({reason}): check the environment variables"
            f" {', '.join(_PROXIES)}, SSL_CERT_FILE and {options.address_variable}"
        ) from None
    return client, key, server_name(address)


def server_name(address: str | None) -> str:
    """Return host, port and path of an address, the same for all that mean the same.

    >>> server_name("HTTP://Host:80/v1/") == server_name("http://host/v1")
    True
    >>> server_name(None) == server_name("https://api.openai.com/v1/")
    True
    """
    if address is None:
        return "default"
    parts = urlsplit(address)
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = None if parts.port in (None, usual) else parts.port
    named = f"{parts.hostname}:{port}{parts.path.rstrip('/')}"
    return "default" if named == "api.openai.com:None/v1" else named


def _key(name: str, variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(
            f"model {name!r} needs a key: set the environment variable "
            f"{variable} (any word for a server that needs none)"
        )
    _sendable(variable, key)
    if key[0] in "\"'" and key[-1] == key[0]:
        raise UserError(f"{variable} holds quotation marks around the key: set it without them")
    return key


def _sendable(variable: str, value: str) -> None:
    """Refuse a value that no header can carry, without showing it."""
    odd = next((i for i, letter in enumerate(value) if not "!" <= letter <= "~"), None)
    if odd is None:
        return
    letter = value[odd]
    what = unicodedata.name(letter, f"U+{ord(letter):04X}").lower()
    what = {"\n": "a line break", "\r": "a line break", "\t": "a tab", " ": "a space"}.get(
        letter, f"the character {what}"
    )
    raise UserError(
        f"{variable} holds {what} at place {odd + 1}, which no request can carry: set it again,"
        " plain letters only, without quotation marks"
    )


def _address(name: str, variable: str) -> str | None:
    address = os.environ.get(variable, "").strip() or None
    if address is None and variable != "OPENAI_BASE_URL":
        raise UserError(
            f"model {name!r} needs its server's address: set the environment variable "
            f"{variable}, such as http://localhost:8000/v1"
        )
    if address is None:
        return None
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and not any(c.isspace() or not c.isprintable() for c in address)
        usable = usable and not any(unicodedata.category(c) in ("Pi", "Pf") for c in address)
    except ValueError:
        usable = False
    if not usable:
        raise UserError(
            f"{variable} must be an address that starts with http:// or https://, without spaces"
            " or quotation marks"
        )
    return address


def _check_proxies() -> None:
    for variable in (*_PROXIES, *(name.lower() for name in _PROXIES)):
        address = os.environ.get(variable, "").strip()
        if not address:
            continue
        try:
            parts = urlsplit(address if "://" in address else f"http://{address}")
            usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise UserError(
                f"{variable} is no address of a proxy: set it to one such as http://host:3128, or"
                " unset it"
            )
        if parts.scheme.startswith("socks"):
            try:
                import socksio  # noqa: F401
            except ImportError:
                raise UserError(
                    f"{variable} names a SOCKS proxy, for which a package is missing: run"
                    " `pip install socksio`, or set an http:// proxy"
                ) from None


def _check_certificates() -> None:
    for variable, option in (("SSL_CERT_FILE", "cafile"), ("SSL_CERT_DIR", "capath")):
        path = os.environ.get(variable)
        if not path:
            continue
        if option == "capath" and not os.path.isdir(path):
            raise UserError(f"{variable} names no folder ({path}): set it again, or unset it")
        try:
            ssl.create_default_context(**{option: path})
        except OSError as error:  # ssl.SSLError among them
            reason = error.strerror or str(error)
            raise UserError(
                f"{variable} names no file of certificates ({path}: {reason}): set it to a PEM"
                " file, or unset it"
            ) from None

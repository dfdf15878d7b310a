"""Why a hosted model gave no answer, in a line: the server's own reason, and what mends it.

A server may repeat the key in its reason; it is taken out of that, and of nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.vlm.openai_reason import names_in, server_reason, without_key
from vlmis_utils.models.vlm.retries import LONGEST, Passing, retry_after

__all__ = ["Host", "body_error", "declined"]

_LONGEST = 300  # characters of a server's reason

_IMAGE = r"(image|vision|multi-?modal|picture)s?"
_REFUSED = r"(unrecogni|unknown|unsupported|extra|not (supported|permitted|allowed)|unexpected)"

# What a reason speaks of, and what mends it, the first that fits; {0}: the environment variable of
# the address.
_REMEDIES: tuple[tuple[str, str], ...] = (
    (r"max_completion_tokens.{0,60}instead|use.{0,60}max_completion_tokens|"
     rf"{_REFUSED}.{{0,40}}max_tokens|max_tokens.{{0,40}}{_REFUSED}",
     "set token_field: max_completion_tokens in the model's options"),
    (rf"{_REFUSED}.{{0,60}}max_completion_tokens|max_completion_tokens.{{0,60}}{_REFUSED}",
     "set token_field: max_tokens in the model's options"),
    (r"context.{0,20}(length|window|size|limit)|maximum.{0,30}context|max_model_len|n_ctx|"
     r"prompt.{0,20}too (long|large)|(input|prompt).{0,30}exceed.{0,40}token|too many tokens",
     "lower max_tokens, or set detail: low, in the model's options, or take a model with a longer"
     " context"),
    (r"temperature", "set temperature: default in the model's options"),
    (r"log_?prob", "set top_logprobs: 0 in the model's options"),
    (r"max_(completion_)?tokens|output tokens", "lower max_tokens in the model's options"),
    (r"(not|n't|cannot|unable to|that)\s(\w+ )?(support|accept|allow|handle|view|see|take)\w*\s"
     rf"(any )?(\w+ )?{_IMAGE}(?! (format|type))|"
     rf"{_IMAGE}([ _](urls?|inputs?|content|modality))*\s(is |are )?(not |n't |only |un)"
     r"(support|availab|enabl|allow|accept)|not a (multi-?modal|vision)|text[ -]only|"
     r"at most 0 image|unknown variant .image_url|mmproj",
     "it reads no images: name one that does as its checkpoint in the model catalogue"),
    (r"(image|picture|payload|file|request|body|entity|media|size).{0,80}"
     r"(too (large|big)|exceed|larger than|maximum|limit|\d ?[mk]i?b\b)|too large",
     "set image_format: jpeg in the model's options, which holds for all conditions alike"),
    (r"image.{0,40}(format|type|decod|invalid|pars|process)|mime|"
     r"(invalid|unsupported|process|decode).{0,20}image",
     "set image_format in the model's options to one that this server reads"),
    (r"\bdetail\b", "set detail: auto in the model's options"),
    (r"\b(country|region|territory|location|geograph)",
     "ask a server that serves this place: set {0}"),
)  # fmt: skip

_DECLINED = re.compile(
    r"content[ _-]?(filter|policy|management|moderation|safety|violation)|moderation|moderated|"
    r"safety (system|filter|setting|reason)|responsible_?ai|data_?inspection|flagged|"
    r"inappropriate content|prohibited content|sensitive (content|information)|"
    r"usage polic|guardrail",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(
    r"insufficient.{0,3}(quota|balance|credit|fund)|exceeded your current quota|"
    r"(no|out of|more) credit|billing|payment",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Host:
    """Where a hosted model is reached, as far as messages need it.

    Attributes:
        name: of the model, in the catalogue.
        model: its name at the server.
        key_variable, address_variable: environment variables.
        key: kept out of messages.
    """

    name: str
    model: str
    key_variable: str
    address_variable: str
    key: str = field(repr=False)

    def failure(self, status: int, body: str, headers: Mapping[str, str]) -> Exception:
        """Return the error that an HTTP status stands for; `Passing` where it may pass."""
        reason = server_reason(body)
        said = without_key(reason, self.key)[:_LONGEST]
        told = f"HTTP {status}: {said}" if said else f"HTTP {status}"
        who = f"model {self.name!r}:"
        words = f"{reason} {names_in(body)}"
        remedy = next((r for form, r in _REMEDIES if re.search(form, words, re.I)), "")
        remedy = remedy.format(self.address_variable)
        if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(words)):
            also = "; or lower max_tokens in its options" if "max_tokens" in said else ""
            return RunError(
                f"{who} the account has no credit left ({told}): top it up and run again, recorded"
                f" answers are kept{also}"
            )
        if status in (408, 409, 425, 429) or status >= 500:
            pause = retry_after(headers)
            if pause is not None and pause > LONGEST:
                return RunError(
                    f"{who} the server asks for a pause of {pause:.0f} s: run again then, recorded"
                    f" answers are kept ({told})"
                )
            return Passing(
                f"{who} the server answered {told}, to every try: run again later, recorded answers"
                " are kept",
                pause,
            )
        if status == 401:
            return UserError(
                f"{who} the server does not accept the key ({told}): check {self.key_variable}"
            )
        if status in (403, 451):
            remedy = remedy or f"check what the key in {self.key_variable} may do"
            return UserError(f"{who} the server does not allow the request ({told}): {remedy}")
        if status == 404:
            remedy = remedy or (
                f"check its checkpoint in the model catalogue and {self.address_variable}"
            )
            return UserError(f"{who} the server does not know {self.model!r} ({told}): {remedy}")
        if status == 413:
            remedy = remedy or next(r for _, r in _REMEDIES if "image_format: jpeg" in r)
        remedy = remedy or "check the entry's options in the model catalogue"
        return RunError(f"{who} the server refused the request ({told}): {remedy}")

    def unreachable(self, error: Exception, timed_out: bool) -> RunError | UserError:
        """Return the error of a connection that failed."""
        cause: BaseException | None = error
        causes = [cause := cause.__cause__ or cause.__context__ for _ in range(6) if cause]
        reason = next((" ".join(str(c).split()) for c in causes if c and str(c)), "")
        reason = without_key(reason, self.key)[:_LONGEST]
        if "CERTIFICATE" in reason.upper():
            return UserError(
                f"model {self.name!r}: the server's certificate is not accepted ({reason}): set"
                " SSL_CERT_FILE to the file of the authority that signed it"
            )
        kind = "timed out" if timed_out else "cannot be reached"
        told = f" ({reason})" if reason and not timed_out else ""
        return Passing(
            f"model {self.name!r}: the server {kind}{told}: check the network and "
            f"{self.address_variable}, then run again, recorded answers are kept"
        )


def declined(status: int, body: str, key: str) -> str | None:
    """Return the reason of a host that will not look at this image or question; None if it would.

    Such a request is answered, by a filter: another one may well get an answer.
    """
    if status not in (400, 403, 422, 451):
        return None
    reason = server_reason(body)
    if not _DECLINED.search(f"{names_in(body)} {reason}"):
        return None
    return without_key(reason, key)[:_LONGEST]


def body_error(body: Mapping) -> tuple[int, str] | None:
    """Return status and body of a failure that a server sends as a success, None if it is none.

    Gateways do so where a provider behind them fails: with ``error`` in place of the choices, or in
    a choice without text.
    """
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    error = body.get("error")
    if isinstance(first, Mapping):
        message = first.get("message")
        if isinstance(message, Mapping) and message.get("content"):
            return None
        error = first.get("error") or error
    if not error:
        return None
    code = str(error.get("code") or error.get("status")) if isinstance(error, Mapping) else ""
    status = int(code) if re.fullmatch("[45][0-9][0-9]", code) else 502
    return status, json.dumps({"error": error})

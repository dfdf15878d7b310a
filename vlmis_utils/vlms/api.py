"""Hosted VLMs behind an OpenAI-compatible chat interface.

The key comes from the environment variable ``OPENAI_API_KEY`` and, for another server than the
client's default, the address from ``OPENAI_BASE_URL``. Neither is ever written to records, errors
or representations. Decoding is greedy as far as a server allows it: temperature 0.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vlmis_utils.answers import FILTERED, REFUSAL
from vlmis_utils.errors import RunError, UserError, closest
from vlmis_utils.vlms import Answer

if TYPE_CHECKING:
    import numpy as np
    import openai
    import torch

    from vlmis_utils.catalogue import ModelEntry
    from vlmis_utils.prompts import Prompt

__all__ = ["DEFAULTS", "ApiVlm", "load_api"]

# Options of a catalogue entry, with their units.
DEFAULTS: dict[str, int | float | str] = {
    "max_tokens": 256,  # tokens of an answer
    "concurrency": 4,  # requests under way at once
    "timeout": 60.0,  # seconds for one request
    "retries": 5,  # after 408, 409, 429, 5xx and lost connections, with growing pauses
    "detail": "auto",  # image resolution asked for: low, high, auto
    "token_field": "max_tokens",  # newer models want "max_completion_tokens"
    "top_logprobs": 0,  # likeliest first tokens to ask for, for p_yes and p_no; 0: none
}


class ApiVlm:
    """A hosted vision-language model; see `vlmis_utils.vlms.Vlm`.

    Attributes:
        digest: hex digest of model name, server, decoding and image encoding. A hosted model can
            change behind its name; the digest cannot see that.
    """

    def __init__(self, entry: ModelEntry, client: openai.OpenAI, server: str) -> None:
        self.name, self.model = entry.name, entry.checkpoint
        self._client = client
        self._options = _options(entry)
        decoding = {k: self._options[k] for k in ("max_tokens", "detail", "top_logprobs")}
        facts = [self.model, entry.revision, server, decoding, "temperature 0", "png data url", 1]
        self.digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def __repr__(self) -> str:
        return f"ApiVlm(name={self.name!r}, model={self.model!r})"

    def answer(self, images: torch.Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer each prompt about each image, several requests at a time, order kept.

        A refusal is recorded as text, ``[refusal] ...`` or ``[content filter]``.

        Args:
            images: uint8 (B, 3, H, W), RGB.
            prompts: the questions.

        Returns:
            B lists of len(prompts) answers: text, and p_yes and p_no where the option
            ``top_logprobs`` asks for them and the server gives them.

        Raises:
            UserError: the key or the model is not accepted.
            RunError: the server went on failing after all retries.
        """
        urls = [_data_url(image) for image in images.permute(0, 2, 3, 1).cpu().numpy()]
        jobs = [(url, prompt.text) for url in urls for prompt in prompts]
        pool = ThreadPoolExecutor(max_workers=int(self._options["concurrency"]))
        try:
            answers = list(pool.map(lambda job: self._ask(*job), jobs))
        finally:
            pool.shutdown(cancel_futures=True)
        size = len(prompts)
        return [answers[i * size : (i + 1) * size] for i in range(len(urls))]

    def _ask(self, url: str, question: str) -> Answer:
        import openai

        image = {"url": url, "detail": self._options["detail"]}
        content = [{"type": "image_url", "image_url": image}, {"type": "text", "text": question}]
        more = {str(self._options["token_field"]): self._options["max_tokens"]}
        if self._options["top_logprobs"]:
            more |= {"logprobs": True, "top_logprobs": int(self._options["top_logprobs"])}
        try:
            reply = self._client.chat.completions.create(
                model=self.model,
                messages=[{"role": "user", "content": content}],
                temperature=0,
                **more,
            )
        except openai.APIStatusError as error:
            if _filtered(error):
                return Answer(FILTERED)
            raise self._failure(error) from None
        except openai.APIConnectionError as error:
            kind = "timed out" if isinstance(error, openai.APITimeoutError) else "cannot be reached"
            raise RunError(
                f"model {self.name!r}: the server {kind}: check the network and OPENAI_BASE_URL,"
                " then run again, recorded answers are kept"
            ) from None
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise self._odd(type(error).__name__) from None
        text = self._text(reply)
        yes, no = _first_words(reply)
        return Answer(text, p_yes=yes, p_no=no)

    def _text(self, reply: object) -> str:
        choices = getattr(reply, "choices", None)
        if not choices:
            raise self._odd("no choices")
        message = choices[0].message
        if choices[0].finish_reason == "content_filter":
            return FILTERED
        if getattr(message, "refusal", None):
            return f"{REFUSAL} {message.refusal}"
        return message.content or ""

    def _odd(self, what: str) -> RunError:
        return RunError(
            f"model {self.name!r}: the server's reply is no chat completion ({what}):"
            " check OPENAI_BASE_URL"
        )

    def _failure(self, error: openai.APIStatusError) -> Exception:
        code = error.status_code
        if code in (401, 403):
            return UserError(
                f"model {self.name!r}: the server does not accept the key (HTTP {code}):"
                " check OPENAI_API_KEY"
            )
        if code == 404:
            return UserError(
                f"model {self.name!r}: the server does not know {self.model!r} (HTTP 404):"
                " check its checkpoint in the model catalogue and OPENAI_BASE_URL"
            )
        if code == 429 or code >= 500:
            return RunError(
                f"model {self.name!r}: the server answered HTTP {code} to every try:"
                " run again later, recorded answers are kept"
            )
        return RunError(
            f"model {self.name!r}: the server refused the request (HTTP {code}):"
            " check the entry's options in the model catalogue"
        )


def load_api(entry: ModelEntry, device: str = "cpu") -> ApiVlm:
    """Make the client of a hosted model; sends nothing yet.

    Args:
        entry: its ``checkpoint`` is the model's name at the server; options as in `DEFAULTS`.
        device: ignored, the model runs elsewhere.

    Raises:
        UserError: no key in the environment, an address that is none, or an unknown option.
    """
    import openai

    options = _options(entry)
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key:
        raise UserError(
            f"model {entry.name!r} needs a key: set the environment variable OPENAI_API_KEY"
            " (any word for a server that needs none)"
        )
    address = os.environ.get("OPENAI_BASE_URL", "").strip() or None
    try:
        parts = urlsplit(address or "https://default")
        server = f"{parts.hostname}:{parts.port}{parts.path}" if address else "default"
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise UserError("OPENAI_BASE_URL must be an address that starts with http:// or https://")
    client = openai.OpenAI(
        api_key=key,
        base_url=address,
        timeout=float(options["timeout"]),
        max_retries=int(options["retries"]),
    )
    return ApiVlm(entry, client, server)


def _options(entry: ModelEntry) -> dict[str, int | float | str]:
    given = dict(entry.options)
    for key, value in given.items():
        if key not in DEFAULTS:
            raise UserError(f"model {entry.name!r}: unknown option {key!r}{closest(key, DEFAULTS)}")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        least = 0 if key in ("retries", "top_logprobs") else 1
        if isinstance(DEFAULTS[key], str):
            if not isinstance(value, str):
                raise UserError(f"model {entry.name!r}: option {key} must be text, not {value!r}")
        elif not number or value < least:
            raise UserError(
                f"model {entry.name!r}: option {key} must be a number from {least}, not {value!r}"
            )
    return DEFAULTS | given


def _filtered(error: openai.APIStatusError) -> bool:
    code = str(getattr(error, "code", "") or "")
    return error.status_code == 400 and code.startswith(("content_filter", "content_policy"))


def _first_words(reply: object) -> tuple[float | None, float | None]:
    """Return the probabilities that the text begins with yes and with no, None where not told.

    Only the likeliest first tokens are told, so these are lower bounds, tight where it matters.
    """
    told = getattr(reply.choices[0], "logprobs", None)
    content = getattr(told, "content", None)
    if not content or not content[0].top_logprobs:
        return None, None
    shares = [(t.token.strip().lower(), math.exp(t.logprob)) for t in content[0].top_logprobs]
    yes, no = (sum(p for token, p in shares if token == word) for word in ("yes", "no"))
    return yes, no


def _data_url(image: np.ndarray) -> str:
    """Return a PNG data URL of an image, uint8 (H, W, 3): lossless, so exactly what others see."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")

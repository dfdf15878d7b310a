"""Hosted VLMs behind an OpenAI-compatible chat interface.

The key comes from the environment variable ``OPENAI_API_KEY`` and, for another server than the
client's default, the address from ``OPENAI_BASE_URL``; an entry can name other variables. Neither
is ever written to records, errors or representations. Decoding is greedy as far as a server allows
it: temperature 0. What comes back is kept and counted by `models.vlm.response_cache`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.vlm.openai_options import checked_options, connection
from vlmis_utils.models.vlm.response_cache import (
    Replies,
    Reply,
    first_words,
    question_key,
)
from vlmis_utils.models.vlm.retries import Passing, Retries, retry_after
from vlmis_utils.protocol.answer import FILTERED, REFUSAL, Answer

if TYPE_CHECKING:
    import numpy as np
    import openai
    import torch

    from vlmis_utils.protocol.models import ModelEntry
    from vlmis_utils.protocol.prompts import Prompt

__all__ = ["ApiVlm", "load_api"]

_DECODING = ("max_tokens", "detail", "top_logprobs", "temperature")


class ApiVlm:
    """A hosted vision-language model; see `models.vlm.loading.Vlm`.

    Attributes:
        digest: hex digest of model name, server, decoding and image encoding. A hosted model can
            change behind its name; the digest cannot see that.
        replies: where replies are kept and counted; in memory only until `keep_replies`.
    """

    def __init__(self, entry: ModelEntry, client: openai.OpenAI, server: str) -> None:
        self.name, self.model = entry.name, entry.checkpoint
        self.replies = Replies()
        self._client = client
        self._options = checked_options(entry)
        self._retries = Retries(int(self._options["retries"]))
        decoding = {key: self._options[key] for key in _DECODING}
        facts = [self.model, entry.revision, server, decoding, "png data url", 2]
        self.digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def __repr__(self) -> str:
        return f"ApiVlm(name={self.name!r}, model={self.model!r})"

    def keep_replies(self, replies: Replies) -> None:
        """Use the replies of a study: those it has are not asked for again.

        Raises:
            UserError: its cost is limited, and this model's entry has no prices.
        """
        if replies.max_cost and min(self._price("in"), self._price("out")) < 0:
            raise UserError(
                f"model {self.name!r}: --max-cost needs its prices: set price_in and price_out "
                "(US dollars for a million tokens) in its options in the model catalogue"
            )
        self.replies = replies

    def answer(self, images: torch.Tensor, prompts: Sequence[Prompt]) -> list[list[Answer]]:
        """Answer each prompt about each image, several requests at a time, order kept.

        A refusal is recorded as text, ``[refusal] ...`` or ``[content filter]``. When a request
        fails for good, or on Ctrl-C, those under way are waited for, and their replies kept.

        Args:
            images: uint8 (B, 3, H, W), RGB.
            prompts: the questions.

        Returns:
            B lists of len(prompts) answers: text, and p_yes and p_no where the option
            ``top_logprobs`` asks for them and the server gives them.

        Raises:
            UserError: the key or the model is not accepted.
            RunError: the server went on failing after all retries, or a limit is reached.
        """
        pictures = [_png(image) for image in images.permute(0, 2, 3, 1).cpu().numpy()]
        jobs = [(picture, prompt.text) for picture in pictures for prompt in prompts]
        stop, failures = threading.Event(), []

        def work(job: tuple[bytes, str]) -> Answer:
            try:
                return self._ask(*job, stop)
            except Exception as error:
                if not stop.is_set():
                    failures.append(error)
                stop.set()
                raise

        pool = ThreadPoolExecutor(max_workers=int(self._options["concurrency"]))
        try:
            answers = list(pool.map(work, jobs))
        except Exception:
            raise failures[0] from None
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
        size = len(prompts)
        return [answers[i * size : (i + 1) * size] for i in range(len(pictures))]

    def _ask(self, picture: bytes, question: str, stop: threading.Event) -> Answer:
        key = question_key(self.digest, picture, question)
        reply = self.replies.find(key)
        if reply is None:
            reply = self._retries.run(lambda: self._paid(key, picture, question), stop)
        return Answer(reply.text, p_yes=reply.p_yes, p_no=reply.p_no)

    def _paid(self, key: str, picture: bytes, question: str) -> Reply:
        """Send one request and keep its reply."""
        self.replies.begin()
        reply = None
        try:
            reply = self._send(picture, question)
        finally:
            self.replies.end(self.name, key, reply)
        return reply

    def _send(self, picture: bytes, question: str) -> Reply:
        import openai

        url = "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
        image = {"url": url, "detail": self._options["detail"]}
        content = [{"type": "image_url", "image_url": image}, {"type": "text", "text": question}]
        more = {str(self._options["token_field"]): self._options["max_tokens"]}
        if self._options["temperature"] != "default":
            more["temperature"] = self._options["temperature"]
        if self._options["top_logprobs"]:
            more |= {"logprobs": True, "top_logprobs": int(self._options["top_logprobs"])}
        try:
            reply = self._client.chat.completions.create(
                model=self.model, messages=[{"role": "user", "content": content}], **more
            )
            return self._read(reply)
        except openai.APIStatusError as error:
            if _filtered(error):
                return Reply(FILTERED)
            raise self._failure(error) from None
        except openai.APIConnectionError as error:
            kind = "timed out" if isinstance(error, openai.APITimeoutError) else "cannot be reached"
            raise Passing(
                f"model {self.name!r}: the server {kind}: check the network and "
                f"{self._options['address_variable']}, then run again, recorded answers are kept"
            ) from None
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError) as error:
            raise Passing(
                f"model {self.name!r}: the server's reply is no chat completion"
                f" ({type(error).__name__}): check {self._options['address_variable']}"
            ) from None

    def _read(self, reply: object) -> Reply:
        choice = reply.choices[0]  # type: ignore[attr-defined]
        if choice.finish_reason == "content_filter":
            text = FILTERED
        elif getattr(choice.message, "refusal", None):
            text = f"{REFUSAL} {choice.message.refusal}"
        else:
            text = choice.message.content or ""
        usage = getattr(reply, "usage", None)
        tokens = [getattr(usage, key, None) for key in ("prompt_tokens", "completion_tokens")]
        prices = (self._price("in"), self._price("out"))
        known = None not in tokens and min(prices) >= 0
        cost = sum(t * p for t, p in zip(tokens, prices, strict=True)) / 1e6 if known else None
        yes, no = first_words(choice)
        return Reply(text.replace(self._client.api_key, "[key]"), yes, no, *tokens, cost)

    def _price(self, way: str) -> float:
        return float(self._options[f"price_{way}"])

    def _failure(self, error: openai.APIStatusError) -> Exception:
        code = error.status_code
        if code in (401, 403):
            return UserError(
                f"model {self.name!r}: the server does not accept the key (HTTP {code}):"
                f" check {self._options['key_variable']}"
            )
        if code == 404:
            return UserError(
                f"model {self.name!r}: the server does not know {self.model!r} (HTTP 404):"
                " check its checkpoint in the model catalogue and "
                f"{self._options['address_variable']}"
            )
        if getattr(error, "code", None) == "insufficient_quota":
            return RunError(
                f"model {self.name!r}: the account has no credit left: top it up and run again,"
                " recorded answers are kept"
            )
        if code in (408, 409, 429) or code >= 500:
            return Passing(
                f"model {self.name!r}: the server answered HTTP {code} to every try:"
                " run again later, recorded answers are kept",
                retry_after(error.response.headers),
            )
        return RunError(
            f"model {self.name!r}: the server refused the request (HTTP {code}):"
            " check the entry's options in the model catalogue"
        )


def load_api(entry: ModelEntry, device: str = "cpu") -> ApiVlm:
    """Make the client of a hosted model; sends nothing yet.

    Args:
        entry: its ``checkpoint`` is the model's name at the server; options as in
            `models.vlm.openai_options.DEFAULTS`.
        device: ignored, the model runs elsewhere.

    Raises:
        UserError: no key in the environment, an address that is none, or an unknown option.
    """
    import openai

    options = checked_options(entry)
    key, address, server = connection(entry.name, options)
    # Without an address the client would read OPENAI_BASE_URL by itself, which is then unset.
    client = openai.OpenAI(
        api_key=key, base_url=address, timeout=float(options["timeout"]), max_retries=0
    )
    return ApiVlm(entry, client, server)


def _filtered(error: openai.APIStatusError) -> bool:
    code = str(getattr(error, "code", "") or "")
    return error.status_code == 400 and code.startswith(("content_filter", "content_policy"))


def _png(image: np.ndarray) -> bytes:
    """Return an image, uint8 (H, W, 3), as a PNG file: lossless, so exactly what others see."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return stream.getvalue()

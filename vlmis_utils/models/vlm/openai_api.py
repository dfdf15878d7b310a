"""Hosted VLMs behind an OpenAI-compatible chat interface.

The key comes from the environment variable ``OPENAI_API_KEY`` and, for another server than the
client's default, the address from ``OPENAI_BASE_URL``; an entry can name other variables. Neither
is ever written to records, errors or representations. Decoding is greedy as far as a server allows
it: temperature 0. A reply is kept as it came by `models.vlm.response_cache`, then read by
`models.vlm.openai_reply`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.core.progress import say
from vlmis_utils.models.options import read_options
from vlmis_utils.models.vlm.openai_connection import connect
from vlmis_utils.models.vlm.openai_errors import Host, body_error, declined
from vlmis_utils.models.vlm.openai_image import data_url, encode
from vlmis_utils.models.vlm.openai_options import OpenAIOptions
from vlmis_utils.models.vlm.openai_remarks import remarks
from vlmis_utils.models.vlm.openai_reply import Reply, well_formed
from vlmis_utils.models.vlm.response_cache import Kept, Replies, question_key
from vlmis_utils.models.vlm.retries import Passing, Retries
from vlmis_utils.protocol.answer import FILTERED, Answer

if TYPE_CHECKING:
    import openai
    import torch

    from vlmis_utils.protocol.models import ModelEntry
    from vlmis_utils.protocol.prompts import Prompt

__all__ = ["ApiVlm", "load_api"]


class ApiVlm:
    """A hosted vision-language model; see `models.vlm.loading.Vlm`.

    Attributes:
        digest: hex digest of model name, server, decoding and image encoding. A hosted model can
            change behind its name; the digest cannot see that.
        encoding: how images are encoded, under every condition: ``png``, ``webp`` or ``jpeg 95``.
        replies: where replies are kept and counted; in memory only until `keep_replies`.
    """

    def __init__(
        self,
        entry: ModelEntry,
        options: OpenAIOptions,
        client: openai.OpenAI,
        key: str,
        server: str,
    ) -> None:
        self.name, self.model = entry.name, entry.checkpoint
        self.encoding = options.encoding
        self.replies = Replies()
        self._client = client
        self._options = options
        self._retries = Retries(options.retries)
        self._host = Host(
            entry.name, entry.checkpoint, options.key_variable, options.address_variable, key
        )
        self._said, self._lock = set[str](), threading.Lock()
        facts = [self.model, entry.revision, server, options.sampling]
        facts += [f"{options.encoding} data url", 2]
        self.digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def __repr__(self) -> str:
        return f"ApiVlm(name={self.name!r}, model={self.model!r})"

    def keep_replies(self, replies: Replies) -> None:
        """Use the replies of a study: those it has are not asked for again.

        Raises:
            UserError: its cost is limited, and this model's entry has no prices.
        """
        if replies.max_cost and self._options.prices is None:
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
            B lists of len(prompts) answers: text, reasoning, why the text ended, tokens, and p_yes
            and p_no where the option ``top_logprobs`` asks for them and the server gives them.

        Raises:
            UserError: the key or the model is not accepted, or an image is larger than max_bytes.
            RunError: the server went on failing after all retries, or a limit is reached.
        """
        arrays = images.permute(0, 2, 3, 1).cpu().numpy()
        pictures = [encode(image, self._options, self.name) for image in arrays]
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

        pool = ThreadPoolExecutor(max_workers=self._options.concurrency)
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
        self._remark(reply)
        return Answer(
            well_formed(reply.text),
            p_yes=reply.p_yes,
            p_no=reply.p_no,
            reasoning=reply.reasoning and well_formed(reply.reasoning),
            finish_reason=reply.finish_reason and well_formed(reply.finish_reason),
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.answer_tokens,
            reasoning_tokens=reply.reasoning_tokens,
        )

    def _paid(self, key: str, picture: bytes, question: str) -> Reply:
        """Send one request, keep its reply, and return what it says."""
        self.replies.begin()
        came: Kept | Reply | None = None
        try:
            came = self._send(picture, question)
        finally:
            reply = self.replies.end(self.name, key, came)
        assert reply is not None
        return reply

    def _send(self, picture: bytes, question: str) -> Kept | Reply:
        import openai

        image = {"url": data_url(picture, self._options), "detail": self._options.detail}
        content = [{"type": "image_url", "image_url": image}, {"type": "text", "text": question}]
        sampling = self._options.sampling
        more = {self._options.token_field: sampling["max_tokens"]}
        if sampling["temperature"] != "default":
            more["temperature"] = sampling["temperature"]
        if sampling["top_logprobs"]:
            more |= {"logprobs": True, "top_logprobs": sampling["top_logprobs"]}
        try:
            came = self._client.chat.completions.with_raw_response.create(
                model=self.model, messages=[{"role": "user", "content": content}], extra_body=more
            )
        except openai.APIStatusError as error:
            body, headers = _decoded(error.response.content), error.response.headers
            failure: tuple[int, str] | None = (error.status_code, body)
        except openai.APIConnectionError as error:
            raise self._host.unreachable(error, isinstance(error, openai.APITimeoutError)) from None
        else:
            body, headers = _decoded(came.content), came.headers
            failure = self._sent_as_success(body)
        if failure is None:
            return Kept(body, self._options.prices)
        reason = declined(*failure, self._host.key)
        if reason is not None:
            return Reply(FILTERED, finish_reason="filtered", reason=reason)
        raise self._host.failure(*failure, headers) from None

    def _sent_as_success(self, body: str) -> tuple[int, str] | None:
        """Return status and body of a failure sent as a success, None for a chat completion.

        Raises:
            RunError: it is neither; `Passing` where it is no JSON, as of a gateway that gave up.
        """
        strange = f"model {self.name!r}: the server's reply is no chat completion"
        remedy = f"check {self._options.address_variable}"
        try:
            read = json.loads(body, strict=False)
        except (ValueError, RecursionError):
            raise Passing(f"{strange}, nor JSON: {remedy}") from None
        failure = body_error(read) if isinstance(read, dict) else None
        if failure is None and not (isinstance(read, dict) and "choices" in read):
            raise RunError(f"{strange}, as it has no choices: {remedy}")
        return failure

    def _remark(self, reply: Reply) -> None:
        """Say, once of each kind, what of a reply is no full answer."""
        for kind, text in remarks(reply, self._options.max_tokens, self._host.key):
            with self._lock:
                new = kind not in self._said
                self._said.add(kind)
            if new:
                say(f"{self.name}: {text}")


def load_api(entry: ModelEntry, device: str = "cpu") -> ApiVlm:
    """Make the client of a hosted model; sends nothing yet.

    Args:
        entry: its ``checkpoint`` is the model's name at the server; options as in
            `models.vlm.openai_options.OpenAIOptions`.
        device: ignored, the model runs elsewhere.

    Raises:
        UserError: unknown options, or a key, address, proxy or certificate file that cannot be
            used.
    """
    options = read_options(OpenAIOptions, entry)
    return ApiVlm(entry, options, *connect(entry.name, options))


def _decoded(content: bytes) -> str:
    """Return a body as text, bytes that are no UTF-8 as lone surrogates: nothing is lost."""
    return content.decode("utf-8-sig", "surrogateescape")

"""The hosted kind of VLM, against a small server on the loopback address."""

from __future__ import annotations

import base64
import io
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.helpers.chat_server import KEY, ChatServer, completion, failure
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.metrics.parsing.parse import mentions, parse_presence, parse_safety
from vlmis_utils.models.vlm.loading import Vlm, load_vlm
from vlmis_utils.models.vlm.response_cache import Replies
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.prompts import PROMPTS, prompt


def entry(**options: object) -> ModelEntry:
    return ModelEntry("hosted", "vlm", "openai", "tiny-vlm", options=tuple(options.items()))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (2, 3, 8, 12), dtype=torch.uint8)


def test_every_image_gets_every_prompt_in_order(server: ChatServer, images: torch.Tensor) -> None:
    pictures = [image.permute(1, 2, 0).numpy() for image in images]

    def reply(body: dict, number: int) -> tuple:
        image, text = body["messages"][0]["content"]
        data = base64.b64decode(image["image_url"]["url"].removeprefix("data:image/png;base64,"))
        seen = np.asarray(Image.open(io.BytesIO(data)))
        index = next(i for i, p in enumerate(pictures) if np.array_equal(p, seen))
        time.sleep(0.01 * (number % 3))
        return completion(f"{index}: {text['text']}")

    server.reply = reply
    vlm = load_vlm(entry())
    assert isinstance(vlm, Vlm)
    answers = vlm.answer(images, PROMPTS)
    expected = [[f"{i}: {p.text}" for p in PROMPTS] for i in range(2)]
    assert [[a.text for a in row] for row in answers] == expected
    assert all(a.labels == () and a.scores == () for row in answers for a in row)


def test_request_is_greedy_and_carries_the_key(server: ChatServer, images: torch.Tensor) -> None:
    load_vlm(entry(max_tokens=33)).answer(images[:1], [prompt("safety")])
    (body,) = server.bodies
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("tiny-vlm", 0, 33)
    assert server.keys == {f"Bearer {KEY}": 1}


def test_concurrency_is_limited(server: ChatServer, images: torch.Tensor) -> None:
    def reply(body: dict, number: int) -> tuple:
        time.sleep(0.02)
        return completion("no")

    server.reply = reply
    load_vlm(entry(concurrency=3)).answer(images, PROMPTS)
    assert len(server.bodies) == 22
    assert 1 < server.most <= 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_are_retried(
    server: ChatServer, images: torch.Tensor, status: int
) -> None:
    server.reply = lambda body, number: failure(status) if number < 3 else completion("Yes.")
    (row,) = load_vlm(entry(retries=3)).answer(images[:1], [prompt("safety")])
    assert row[0].text == "Yes."
    assert len(server.bodies) == 3


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (500, RunError, "HTTP 500"),
        (429, RunError, "HTTP 429"),
        (401, UserError, "OPENAI_API_KEY"),
        (404, UserError, "tiny-vlm"),
        (400, RunError, "HTTP 400"),
    ],
)
def test_lasting_failures_are_one_line_without_the_key(
    server: ChatServer, images: torch.Tensor, status: int, kind: type[Exception], words: str
) -> None:
    server.reply = lambda body, number: failure(status)
    with pytest.raises(kind) as caught:
        load_vlm(entry(retries=1)).answer(images, PROMPTS[:2])
    message = str(caught.value)
    assert words in message and "hosted" in message
    assert KEY not in message and "\n" not in message
    assert caught.value.__suppress_context__


def test_refusals_are_answers_that_say_nothing(server: ChatServer, images: torch.Tensor) -> None:
    replies = [
        completion(None, refusal="I can't describe people or cars. No."),
        completion(None, finish="content_filter"),
        failure(400, "content_filter"),
        completion(None),
    ]
    server.reply = lambda body, number: replies[number - 1]
    vlm = load_vlm(entry(concurrency=1))
    (row,) = vlm.answer(images[:1], PROMPTS[:4])
    texts = [answer.text for answer in row]
    assert texts[0].startswith("[refusal] I can't")
    assert texts[1:] == ["[content filter]", "[content filter]", ""]
    for text in texts:
        assert mentions(text).asserted == frozenset() == mentions(text, rule="keyword").asserted
        assert (parse_presence(text), parse_safety(text)) == ("unknown", "abstain")


def test_first_token_probabilities_are_asked_for_and_read(
    server: ChatServer, images: torch.Tensor
) -> None:
    told = [(" Yes", -0.5), ("no", -1.5), ("YES", -3.0), ("The", -4.0)]
    tops = [{"token": t, "logprob": p, "bytes": None} for t, p in told]

    def reply(body: dict, number: int) -> tuple:
        status, content = completion("Yes.")
        if body.get("logprobs"):
            first = {"token": " Yes", "logprob": -0.5, "bytes": None, "top_logprobs": tops}
            content["choices"][0]["logprobs"] = {"content": [first], "refusal": None}
        return status, content

    server.reply = reply
    asked = [prompt("presence/car")]
    answer = load_vlm(entry(top_logprobs=4)).answer(images, asked)[0][0]
    assert server.bodies[-1]["top_logprobs"] == 4
    assert answer.p_yes == pytest.approx(np.exp(-0.5) + np.exp(-3.0))
    assert answer.p_no == pytest.approx(np.exp(-1.5))
    plain = load_vlm(entry()).answer(images, asked)[0][0]
    assert (plain.p_yes, plain.p_no) == (None, None) and "logprobs" not in server.bodies[-1]


@pytest.mark.parametrize(
    "body", [json.dumps(completion("Yes.")[1]).encode()[:-20], b"", b"<html>504</html>", None]
)
def test_a_reply_that_came_broken_is_asked_for_again(
    server: ChatServer, images: torch.Tensor, body: object
) -> None:
    server.reply = lambda sent, number: (200, body)
    with pytest.raises(RunError, match="no chat completion|cannot be reached") as caught:
        load_vlm(entry(retries=1)).answer(images[:1], PROMPTS[:1])
    assert len(server.bodies) == 2 and "\n" not in str(caught.value)
    server.reply = lambda sent, number: (200, body) if number == 3 else completion("Yes.")
    (row,) = load_vlm(entry(retries=1)).answer(images[:1], PROMPTS[:1])
    assert row[0].text == "Yes." and len(server.bodies) == 4


@pytest.mark.parametrize("body", [{"hello": 1}, [], "text", {"output": [{"type": "message"}]}])
def test_another_protocol_is_not_asked_again(
    server: ChatServer, images: torch.Tensor, body: object
) -> None:
    server.reply = lambda sent, number: (200, body)
    with pytest.raises(RunError, match="no chat completion.*check OPENAI_BASE_URL"):
        load_vlm(entry(retries=5)).answer(images[:1], PROMPTS[:1])
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"choices": []}, {"choices": None}, {"choices": [{}]}, {"choices": [None]},
        {"choices": "none"}, {"choices": [{"finish_reason": "stop", "message": None}]},
        {"choices": [{"message": {"content": 7}, "finish_reason": 3}], "usage": "no"},
        {"choices": [{"message": {"content": None}, "logprobs": {"content": [None]}}]},
        {"choices": [{"message": ["x"]}], "usage": {"prompt_tokens": "many"}},
    ],
)  # fmt: skip
def test_a_completion_without_an_answer_is_paid_for_once(
    server: ChatServer, images: torch.Tensor, body: object, tmp_path: Path
) -> None:
    server.reply = lambda sent, number: (200, body)
    for _ in range(2):
        vlm = load_vlm(entry(top_logprobs=2))
        vlm.keep_replies(Replies(tmp_path / "replies.jsonl"))
        assert vlm.answer(images[:1], PROMPTS[:1])[0][0].text == ""
    assert len(server.bodies) == 1
    (line,) = (tmp_path / "replies.jsonl").read_text().splitlines()
    assert json.loads(json.loads(line)["body"]) == body


def test_a_server_that_hangs_is_left_and_asked_again(
    server: ChatServer, images: torch.Tensor
) -> None:
    def reply(body: dict, number: int) -> tuple:
        time.sleep(1 if number == 1 else 0)
        return completion("Yes.")

    server.reply = reply
    vlm = load_vlm(entry(timeout=0.2, retries=1))
    start = time.monotonic()
    assert vlm.answer(images[:1], PROMPTS[:1])[0][0].text == "Yes."
    assert time.monotonic() - start < 0.9
    server.reply = lambda body, number: time.sleep(0.4) or completion("Yes.")
    with pytest.raises(RunError, match="the server timed out: check the network"):
        vlm.answer(images[:1], PROMPTS[1:2])


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["retry-after-ms", "retry-after", "date"])
def test_a_server_s_pause_is_kept_by_all_requests(
    server: ChatServer, images: torch.Tensor, status: int, form: str
) -> None:
    times: list[float] = []
    values = {"retry-after-ms": "300", "retry-after": "0.3"}
    name = "retry-after" if form == "date" else form

    def reply(body: dict, number: int) -> tuple:
        times.append(time.monotonic())
        if number == 1:
            soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
            return failure(status, headers={name: values.get(form, soon)})
        return completion("Yes.")

    server.reply = reply
    load_vlm(entry(concurrency=1)).answer(images[:1], PROMPTS[:3])
    assert len(times) == 4 and times[1] - times[0] > 0.25


def test_a_pause_too_long_ends_the_run_with_its_length(
    server: ChatServer, images: torch.Tensor
) -> None:
    server.reply = lambda body, number: failure(429, headers={"retry-after": "3600"})
    with pytest.raises(RunError, match="hosted.*asks for a pause of 3600 s: run again then"):
        load_vlm(entry(concurrency=1)).answer(images[:1], PROMPTS)
    assert len(server.bodies) == 1


def test_no_credit_is_not_retried(server: ChatServer, images: torch.Tensor) -> None:
    server.reply = lambda body, number: failure(429, "insufficient_quota")
    with pytest.raises(RunError, match="no credit left"):
        load_vlm(entry(concurrency=1)).answer(images[:1], PROMPTS)
    assert len(server.bodies) == 1


def test_the_first_failure_is_the_one_told(server: ChatServer, images: torch.Tensor) -> None:
    server.reply = lambda body, number: failure(401 if number == 3 else 500)
    with pytest.raises(UserError, match="OPENAI_API_KEY"):
        load_vlm(entry(concurrency=3, retries=9)).answer(images, PROMPTS)
    assert len(server.bodies) < 12


def test_models_that_take_no_temperature_get_none(server: ChatServer, images: torch.Tensor) -> None:
    newer = entry(temperature="default", token_field="max_completion_tokens", max_tokens=7)
    load_vlm(newer).answer(images[:1], PROMPTS[:1])
    (body,) = server.bodies
    assert "temperature" not in body and "max_tokens" not in body
    assert body["max_completion_tokens"] == 7
    assert load_vlm(newer).digest != load_vlm(entry(max_tokens=7)).digest


def test_an_entry_can_name_its_own_server_and_key(
    server: ChatServer, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = entry(key_variable="LOCAL_KEY", address_variable="LOCAL_ADDRESS")
    with pytest.raises(UserError, match="environment variable LOCAL_KEY"):
        load_vlm(own)
    monkeypatch.setenv("LOCAL_KEY", "none")
    with pytest.raises(UserError, match="environment variable LOCAL_ADDRESS, such as http"):
        load_vlm(own)
    monkeypatch.setenv("LOCAL_ADDRESS", server.address)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert load_vlm(own).answer(images[:1], PROMPTS[:1])[0][0].text == "Yes."
    assert server.keys == {"Bearer none": 1}


def test_tokens_and_cost_are_counted(server: ChatServer, images: torch.Tensor) -> None:
    server.reply = lambda body, number: completion("Yes.", usage=(1000, 10))
    vlm = load_vlm(entry(price_in=2.5, price_out=10.0))
    vlm.answer(images, PROMPTS[:3])
    usage = vlm.replies.usage("hosted")
    assert (usage.requests, usage.prompt_tokens, usage.answer_tokens) == (6, 6000, 60)
    assert usage.cost == pytest.approx(6000 * 2.5e-6 + 60 * 10e-6)
    assert str(usage) == "6 replies, 6000 tokens read, 60 tokens written, 0.0156 US dollars"
    free = load_vlm(entry())
    free.answer(images, PROMPTS[:1])
    assert free.replies.usage().cost is None
    with pytest.raises(UserError, match="--max-cost needs its prices: set price_in and price_out"):
        free.keep_replies(Replies(max_cost=1))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("x", "Yes, a taxi and a bus at the exit."),
        ("none", "none visible, nonetheless a van"),
        ("e", "There are three bicycles."),
        (KEY, f"A sign that says {KEY}."),
    ],
)
def test_answers_are_recorded_as_they_come(
    server: ChatServer, images: torch.Tensor, monkeypatch, key: str, text: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    server.reply = lambda body, number: completion(text)
    assert load_vlm(entry()).answer(images[:1], PROMPTS[:1])[0][0].text == text


def test_no_server(monkeypatch: pytest.MonkeyPatch, images: torch.Tensor) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(RunError, match="cannot be reached"):
        load_vlm(entry(retries=0)).answer(images[:1], PROMPTS[:1])


def test_missing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UserError, match="set the environment variable OPENAI_API_KEY"):
        load_vlm(entry())


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://x", "http://[", "http://h:port"])
def test_address_that_is_none(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(UserError, match="OPENAI_BASE_URL"):
        load_vlm(entry())


@pytest.mark.parametrize(
    "options",
    [
        {"concurency": 2}, {"concurrency": 0}, {"max_tokens": "many"}, {"detail": 3},
        {"temperature": "hot"}, {"price_in": "free"}, {"key_variable": 1},
    ],
)  # fmt: skip
def test_bad_options(monkeypatch: pytest.MonkeyPatch, options: dict[str, object]) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(UserError, match="option"):
        load_vlm(entry(**options))


def test_digest_tells_what_determines_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    base = load_vlm(entry()).digest
    assert base == load_vlm(entry(concurrency=1, retries=0, timeout=5)).digest
    assert base != load_vlm(entry(max_tokens=8)).digest
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    assert base == load_vlm(entry()).digest
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1")
    assert base != load_vlm(entry()).digest


def test_key_is_never_shown(server: ChatServer) -> None:
    vlm = load_vlm(entry())
    assert KEY not in repr(vlm) + str(vlm) + vlm.digest

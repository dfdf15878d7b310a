"""The hosted kind of VLM, against a small server on the loopback address."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from PIL import Image

from vlmis_utils.answers import mentions, parse_presence, parse_safety
from vlmis_utils.catalogue import ModelEntry
from vlmis_utils.errors import RunError, UserError
from vlmis_utils.prompts import PROMPTS, prompt
from vlmis_utils.vlms import Vlm, load_vlm

KEY = "sk-test-4f2a9c-never-shown"


def entry(**options: object) -> ModelEntry:
    return ModelEntry("hosted", "vlm", "openai", "tiny-vlm", options=tuple(options.items()))


def completion(text: str | None, refusal: str | None = None, finish: str = "stop") -> tuple:
    message = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return 200, {"id": "1", "object": "chat.completion", "created": 0, "model": "m",
                 "choices": [choice]}  # fmt: skip


def failure(status: int, code: str | None = None) -> tuple:
    return status, {"error": {"message": f"no: {KEY}", "type": "x", "code": code}}


class Server:
    """Answers each request with ``reply(body, number)`` and remembers the requests."""

    def __init__(self) -> None:
        self.reply = lambda body, number: completion("Yes.")
        self.bodies: list[dict] = []
        self.keys: Counter[str] = Counter()
        self.busy = self.most = 0
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server.lock:
                    server.bodies.append(body)
                    server.keys[self.headers["Authorization"]] += 1
                    server.busy += 1
                    server.most = max(server.most, server.busy)
                    number = len(server.bodies)
                status, content = server.reply(body, number)
                with server.lock:
                    server.busy -= 1
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.http.server_port}/v1"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    made = Server()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", made.address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (2, 3, 8, 12), dtype=torch.uint8)


def test_every_image_gets_every_prompt_in_order(server: Server, images: torch.Tensor) -> None:
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


def test_request_is_greedy_and_carries_the_key(server: Server, images: torch.Tensor) -> None:
    load_vlm(entry(max_tokens=33)).answer(images[:1], [prompt("safety")])
    (body,) = server.bodies
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("tiny-vlm", 0, 33)
    assert server.keys == {f"Bearer {KEY}": 1}


def test_concurrency_is_limited(server: Server, images: torch.Tensor) -> None:
    def reply(body: dict, number: int) -> tuple:
        time.sleep(0.02)
        return completion("no")

    server.reply = reply
    load_vlm(entry(concurrency=3)).answer(images, PROMPTS)
    assert len(server.bodies) == 22
    assert 1 < server.most <= 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_are_retried(server: Server, images: torch.Tensor, status: int) -> None:
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
    server: Server, images: torch.Tensor, status: int, kind: type[Exception], words: str
) -> None:
    server.reply = lambda body, number: failure(status)
    with pytest.raises(kind) as caught:
        load_vlm(entry(retries=1)).answer(images, PROMPTS[:2])
    message = str(caught.value)
    assert words in message and "hosted" in message
    assert KEY not in message and "\n" not in message
    assert caught.value.__suppress_context__


def test_refusals_are_answers_that_say_nothing(server: Server, images: torch.Tensor) -> None:
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
    server: Server, images: torch.Tensor
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


@pytest.mark.parametrize("body", [{"hello": 1}, {"choices": []}, [], "text"])
def test_a_reply_that_is_none(server: Server, images: torch.Tensor, body: object) -> None:
    server.reply = lambda sent, number: (200, body)
    with pytest.raises(RunError, match="no chat completion"):
        load_vlm(entry(retries=0)).answer(images[:1], PROMPTS[:1])


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
    "options", [{"concurency": 2}, {"concurrency": 0}, {"max_tokens": "many"}, {"detail": 3}]
)
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


def test_key_is_never_shown(server: Server) -> None:
    vlm = load_vlm(entry())
    assert KEY not in repr(vlm) + str(vlm) + vlm.digest

"""A small chat server on the loopback address that behaves, or misbehaves, as a test wants."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["KEY", "ChatServer", "completion", "failure"]

KEY = "sk-test-4f2a9c-never-shown"
SOON = {"retry-after-ms": "1"}


def completion(
    text: str | None,
    refusal: str | None = None,
    finish: str = "stop",
    usage: tuple[int, int] | None = None,
) -> tuple:
    message = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    reply: dict = {"id": "1", "object": "chat.completion", "created": 0, "model": "m",
                   "choices": [choice]}  # fmt: skip
    if usage is not None:
        taken = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        reply["usage"] = {**taken, "total_tokens": sum(usage)}
    return 200, reply


def failure(status: int, code: str | None = None, headers: dict[str, str] | None = None) -> tuple:
    error = {"message": f"no: {KEY}", "type": "x", "code": code}
    return status, {"error": error}, SOON if headers is None else headers


class ChatServer:
    """Answers each request with ``reply(body, number)`` and remembers the requests.

    A reply is (status, content) or (status, content, headers); content that is bytes is sent as it
    is, None closes the connection without a word.
    """

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
                status, content, headers = (*server.reply(body, number), {})[:3]
                with server.lock:
                    server.busy -= 1
                if content is None:
                    self.close_connection = True
                    return
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.http.server_port}/v1"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

"""What of an environment can keep a hosted model from being reached, before anything is sent."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlmis_utils.core.errors import UserError
from vlmis_utils.models.options import read_options
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.models.vlm.openai_connection import server_name
from vlmis_utils.models.vlm.openai_image import data_url, encode
from vlmis_utils.models.vlm.openai_options import OpenAIOptions
from vlmis_utils.protocol.models import ModelEntry

PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy")


def entry(**options: object) -> ModelEntry:
    return ModelEntry("hosted", "vlm", "openai", "tiny-vlm", options=tuple(options.items()))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    return monkeypatch


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_API_KEY", "“sk-secret-0123456789”"), ("OPENAI_API_KEY", "sk-secret’s"),
        ("OPENAI_API_KEY", "sk-secré"), ("OPENAI_API_KEY", "sk-secret\nsecond"),
        ("OPENAI_API_KEY", "sk-secret\r\nsecond"), ("OPENAI_API_KEY", "\ufeffsk-secret"),
        ("OPENAI_API_KEY", "sk-secret\u200b"), ("OPENAI_API_KEY", "sk secret"),
        ("OPENAI_API_KEY", "sk-\x07secret"), ("OPENAI_API_KEY", '"sk-secret"'),
        ("OPENAI_API_KEY", "'sk-secret'"), ("OPENAI_API_KEY", "sk-secret-城市"),
        ("OPENAI_ORG_ID", "org-“x”"), ("OPENAI_PROJECT_ID", "proj\nx"),
        ("OPENAI_BASE_URL", "“http://localhost:8000/v1”"),
        ("OPENAI_BASE_URL", "http://localhost:8000/v 1"),
        ("OPENAI_BASE_URL", "http://localhost:8000/v1”"),
        ("OPENAI_BASE_URL", "http://localhost:99999/v1"),
        ("ALL_PROXY", "socks5://127.0.0.1:1080"), ("HTTPS_PROXY", "socks5h://127.0.0.1:1080"),
        ("http_proxy", "socks5://127.0.0.1:1080"), ("HTTPS_PROXY", "ftp://127.0.0.1:21"),
        ("HTTPS_PROXY", "http://[x"), ("ALL_PROXY", "socks4://127.0.0.1:1080"),
        ("HTTPS_PROXY", "http://h:port"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"), ("SSL_CERT_FILE", "/tmp"),
        ("SSL_CERT_FILE", __file__), ("SSL_CERT_DIR", "/nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_one_line_with_its_variable(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(UserError) as caught:
        load_vlm(entry())
    message = str(caught.value)
    assert variable in message and "\n" not in message
    assert "secret" not in message


def test_check_says_the_same(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    (tmp_path / "study.yaml").write_text(
        f"vlms: [gpt-4o]\nbuild_root: {tmp_path}/build\nscenes: 1\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "vlmis_utils", "check", str(tmp_path / "study.yaml")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.stdout, ran.stderr
    (line,) = [line for line in ran.stdout.splitlines() if "HTTPS_PROXY" in line]
    assert line.startswith("fail") and "SOCKS" in line and ran.returncode == 2


@pytest.mark.parametrize(
    "same",
    [
        ("http://h:8000/v1", "http://h:8000/v1/", "http://H:8000/v1//", "HTTP://h:8000/v1"),
        ("https://h/v1", "https://h:443/v1", "https://user:word@h/v1/"),
        (None, "https://api.openai.com/v1", "https://API.openai.com:443/v1/"),
    ],
)
def test_one_server_has_one_name(same: tuple) -> None:
    assert len({server_name(address) for address in same}) == 1
    assert "word" not in server_name(same[-1])


def test_other_servers_have_other_names() -> None:
    addresses = (None, "http://h/v1", "http://h/v2", "http://h:81/v1", "http://g/v1", "http://h")
    assert len({server_name(address) for address in addresses}) == len(addresses)


def test_numbers_that_are_equal_ask_the_same() -> None:
    digests = {load_vlm(entry(temperature=t, max_tokens=m)).digest
               for t in (0, 0.0) for m in (64, 64.0)}  # fmt: skip
    assert len(digests) == 1
    assert digests != {load_vlm(entry(temperature=0.5, max_tokens=64)).digest}


def test_a_slash_at_the_end_asks_the_same(environment: pytest.MonkeyPatch) -> None:
    digests = set()
    for address in ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/"):
        environment.setenv("OPENAI_BASE_URL", address)
        digests.add(load_vlm(entry()).digest)
    assert len(digests) == 1


def test_all_wrong_options_are_told_at_once() -> None:
    with pytest.raises(UserError) as caught:
        read_options(OpenAIOptions, entry(concurency=2, max_tokens="many", temperature=True))
    message = str(caught.value)
    assert "did you mean 'concurrency'?" in message and "\n" not in message
    assert "option max_tokens must be a whole number, not 'many'" in message
    assert "option temperature must be" in message and "'default'" in message


def test_the_image_format_holds_for_all_and_is_part_of_the_digest() -> None:
    options = {"png": {}, "webp": {"image_format": "webp"}, "jpeg 95": {"image_format": "jpeg"},
               "jpeg 80": {"image_format": "jpeg", "jpeg_quality": 80}}  # fmt: skip
    made = {name: load_vlm(entry(**chosen)) for name, chosen in options.items()}
    assert [vlm.encoding for vlm in made.values()] == list(options)
    assert len({vlm.digest for vlm in made.values()}) == 4
    assert load_vlm(entry(max_bytes=10**6)).digest == made["png"].digest


@pytest.mark.parametrize("seed", range(8))
def test_lossless_formats_are_lossless(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    for name in ("png", "webp"):
        options = OpenAIOptions(image_format=name)
        content = encode(image, options, "m")
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), image)
        assert data_url(content, options).startswith(f"data:image/{name};base64,")


def test_an_image_over_the_limit_names_the_option() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with pytest.raises(UserError, match="above its option max_bytes 9000: set image_format: jpeg"):
        encode(noise, OpenAIOptions(max_bytes=9000), "hosted")
    size = len(data_url(encode(noise, OpenAIOptions(), "m"), OpenAIOptions()).partition(",")[2])
    encode(noise, OpenAIOptions(max_bytes=size), "hosted")
    with pytest.raises(UserError, match="max_bytes"):
        encode(noise, OpenAIOptions(max_bytes=size - 1), "hosted")
    with pytest.raises(UserError, match="lower jpeg_quality"):
        encode(noise, OpenAIOptions(max_bytes=900, image_format="jpeg"), "hosted")

"""Failures of hosted models: the server's reason, the option that mends it, never the key."""

from __future__ import annotations

import json

import pytest

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.vlm.openai_errors import Host, body_error, declined
from vlmis_utils.models.vlm.openai_reason import server_reason, without_key
from vlmis_utils.models.vlm.retries import Passing

KEY = "sk-test-4f2a9c-never-shown"
HOST = Host("hosted", "tiny-vlm", "OPENAI_API_KEY", "OPENAI_BASE_URL", KEY)


def openai(message: str, **more: object) -> str:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", **more}})


@pytest.mark.parametrize(
    ("status", "message", "remedy"),
    [
        (400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
              "'max_completion_tokens' instead.", "token_field: max_completion_tokens"),
        (400, "Unrecognized request argument supplied: max_completion_tokens",
         "token_field: max_tokens"),
        (400, "Unsupported value: 'temperature' does not support 0 with this model. Only the "
              "default (1) value is supported.", "temperature: default"),
        (400, "`temperature` is deprecated for this model.", "temperature: default"),
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5210 "
              "tokens.", "lower max_tokens"),
        (400, "The decoder prompt (length 9001) is longer than the maximum model length of 8192: "
              "max_model_len", "longer context"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", "longer context"),
        (400, "max_tokens is too large: 300000. This model supports at most 16384 completion "
              "tokens", "lower max_tokens"),
        (400, "You are not allowed to request logprobs from this model", "top_logprobs: 0"),
        (400, "messages.0.content.0.image.source.base64: image exceeds 5 MB maximum: 5316852 bytes "
              "> 5242880 bytes", "image_format: jpeg"),
        (413, "Request Entity Too Large", "image_format: jpeg"),
        (413, "", "image_format: jpeg"),
        (400, "Image size is too large, max 4MB", "image_format: jpeg"),
        (404, "No endpoints found that support image input", "reads no images"),
        (400, "Invalid content type. image_url is only supported by certain models.",
         "reads no images"),
        (400, "tiny is not a multimodal model", "reads no images"),
        (500, "image input is not supported - hint: you may need to provide the mmproj", "every"),
        (400, "At most 0 image(s) may be provided in one prompt.", "reads no images"),
        (400, "You uploaded an unsupported image. Please make sure your image is valid.",
         "image_format"),
        (400, "Unable to process input image.", "set image_format"),
        (403, "Country, region, or territory not supported", "OPENAI_BASE_URL"),
        (400, "User location is not supported for the API use.", "OPENAI_BASE_URL"),
        (403, "Project does not have access to model tiny-vlm", "OPENAI_API_KEY"),
        (401, "Incorrect API key provided", "OPENAI_API_KEY"),
        (402, "Insufficient credits", "top it up"),
        (402, "This request requires more credits, or fewer max_tokens. You requested up to 65536 "
              "tokens, but can only afford 1234.", "lower max_tokens"),
        (429, "You exceeded your current quota, please check your plan and billing details.",
         "top it up"),
        (400, "Billing hard limit has been reached", "top it up"),
        (404, "The model `tiny-vlm` does not exist", "checkpoint"),
        (422, "Something else", "options in the model catalogue"),
        (503, "The model is overloaded", "run again later"),
    ],
)  # fmt: skip
def test_reason_and_remedy_are_in_one_line(status: int, message: str, remedy: str) -> None:
    error = HOST.failure(status, openai(f"{message} ({KEY})" if message else ""), {})
    text = str(error)
    assert isinstance(error, RunError | UserError) and str(status) in text
    assert " ".join(message.split())[:200] in text and remedy in text
    assert KEY not in text and "\n" not in text and "hosted" in text
    assert isinstance(error, Passing) == (status == 503 or status == 500)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"error": {"message": "no"}}', "no"),
        ('[{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}]', "no"),
        ('{"error": "no"}', "no"),
        ('{"message": "no", "object": "error"}', "no"),
        ('{"detail": "no"}', "no"),
        ('{"detail": [{"loc": ["body", "temperature"], "msg": "no", "type": "x"}]}', "no"),
        ('{"error": {"message": "Provider returned error", "metadata": {"raw": '
         '"{\\"error\\": {\\"message\\": \\"too dark\\"}}", "provider_name": "P"}}}',
         "Provider returned error; too dark"),
        ('{"error": {"message": "requires moderation", "metadata": {"reasons": ["violence"]}}}',
         "requires moderation; violence"),
        ("<html><head><title>504 Gateway\nTime-out</title></head></html>", "504 Gateway Time-out"),
        ("<!doctype html><html><p>x</p></html>", ""),
        ("plain words", "plain words"), ("", ""), ("null", ""), ("[]", ""), ("7", ""),
        ('{"error": {"message": "half \\ud83d"}}', "half ?"),
    ],
)  # fmt: skip
def test_reasons_are_found_wherever_servers_put_them(body: str, reason: str) -> None:
    assert server_reason(body) == reason


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, openai("no", code="content_filter")),
        (400, openai("no", code="content_policy_violation")),
        (400, openai("Your request was rejected as a result of our safety system.")),
        (400, openai("no", innererror={"code": "ResponsibleAIPolicyViolation"})),
        (400, '{"code": "DataInspectionFailed", "message": "Input data may be inappropriate"}'),
        (403, '{"error": {"code": 403, "message": "tiny requires moderation on P. Your input was '
              'flagged for violence", "metadata": {"reasons": ["violence"]}}}'),
        (422, openai("flagged by content moderation")),
    ],
)  # fmt: skip
def test_a_picture_that_a_host_will_not_look_at_is_declined(status: int, body: str) -> None:
    assert declined(status, body, KEY) is not None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, openai("content_filter")), (429, openai("flagged")), (500, openai("moderation")),
        (403, openai("Country, region, or territory not supported")),
        (400, openai("temperature is not supported")),
        (400, openai("Billing hard limit has been reached")),
    ],
)  # fmt: skip
def test_other_failures_are_none_of_the_picture(status: int, body: str) -> None:
    assert declined(status, body, KEY) is None


def test_a_pause_too_long_is_an_end() -> None:
    error = HOST.failure(429, openai("slow down"), {"retry-after": "3600"})
    assert not isinstance(error, Passing) and "a pause of 3600 s" in str(error)
    passing = HOST.failure(429, openai("slow down"), {"retry-after": "7"})
    assert isinstance(passing, Passing) and passing.pause == 7


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"message": "no", "code": 429}}, 429),
        ({"error": {"message": "no", "code": "rate_limit"}, "choices": None}, 502),
        ({"error": "no", "choices": []}, 502),
        ({"choices": [{"error": {"code": 503, "message": "no"}, "message": {"content": ""}}]}, 503),
        ({"choices": [{"message": {"content": "A car."}, "error": {"code": 503}}]}, None),
        ({"choices": []}, None), ({"choices": [{"message": {"content": ""}}]}, None),
    ],
)  # fmt: skip
def test_failures_sent_as_a_success(body: dict, status: int | None) -> None:
    found = body_error(body)
    assert (found and found[0]) == status
    assert found is None or "no" in server_reason(found[1])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"bad {KEY}.", "bad [key]."),
        (f"bad {KEY.upper()}.", "bad [key]."),
        (f"bad {KEY[:20]}...", "bad [key]..."),
        (f"bad ***{KEY[-14:]}", "bad ***[key]"),
        (f"Bearer{KEY}x{KEY}", "Bearer[key]x[key]"),
        ("bad sk-***own", "bad sk-***own"),
    ],
)
def test_no_piece_of_a_key_is_shown(text: str, shown: str) -> None:
    assert without_key(text, KEY) == shown


@pytest.mark.parametrize("key", ["x", "none", "e", "EMPTY"])
def test_a_word_that_is_no_secret_leaves_reasons_readable(key: str) -> None:
    reason = "max_tokens must be at most 4096, nonetheless; see the emptying exit"
    assert without_key(reason, key) == reason

"""Options of a hosted model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vlmis_utils.core.validation import Number, Text, must
from vlmis_utils.models.options import Options, Whole

__all__ = ["OpenAIOptions"]


def _warm(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value == "default" or (number and 0 <= value < float("inf"))


class OpenAIOptions(Options):
    """How a hosted model is asked.

    Attributes:
        max_tokens: most tokens of an answer, reasoning among them.
        concurrency: requests under way at once.
        timeout: seconds for one request.
        retries: after HTTP 408, 409, 429 and 5xx, lost connections and broken replies.
        detail: image resolution asked for: low, high, auto.
        token_field: what the server calls its limit; newer models want ``max_completion_tokens``.
        temperature: ``default`` sends none, for models that refuse any.
        top_logprobs: likeliest first tokens to ask for, for p_yes and p_no; 0: none.
        price_in, price_out: US dollars for a million tokens of prompt and image, and of answer; -1:
            unknown.
        image_format: of the images of all conditions alike: ``png`` and ``webp`` are lossless,
            ``jpeg`` is not, and its artefacts come on top of a condition's.
        jpeg_quality: of Pillow, 1 to 100, without subsampling of colour.
        max_bytes: most bytes of an image in base64, as hosts count them; 0: not checked here.
        key_variable, address_variable: environment variables that hold the key and the address.
    """

    max_tokens: Annotated[Whole, Field(ge=1)] = 256
    concurrency: Annotated[Whole, Field(ge=1)] = 4
    timeout: Annotated[Number, Field(ge=0.1)] = 60.0
    retries: Annotated[Whole, Field(ge=0)] = 5
    detail: Text = "auto"
    token_field: Text = "max_tokens"
    temperature: Annotated[object, must(_warm, "a number from 0, or 'default'")] = 0.0
    top_logprobs: Annotated[Whole, Field(ge=0)] = 0
    price_in: Annotated[Number, Field(ge=-1)] = -1.0
    price_out: Annotated[Number, Field(ge=-1)] = -1.0
    image_format: Literal["png", "webp", "jpeg"] = "png"
    jpeg_quality: Annotated[Whole, Field(ge=1, le=100)] = 95
    max_bytes: Annotated[Whole, Field(ge=0)] = 0
    key_variable: Text = "OPENAI_API_KEY"
    address_variable: Text = "OPENAI_BASE_URL"

    @property
    def prices(self) -> tuple[float, float] | None:
        """US dollars for a million tokens of prompt and of answer, None where either is unknown."""
        return (self.price_in, self.price_out) if min(self.price_in, self.price_out) >= 0 else None

    @property
    def sampling(self) -> dict[str, int | float | str]:
        """What of the options determines an answer, beside the image; 0 and 0.0 are the same."""
        temperature = self.temperature
        if isinstance(temperature, float) and temperature.is_integer():
            temperature = int(temperature)
        return {
            "max_tokens": self.max_tokens,
            "detail": self.detail,
            "top_logprobs": self.top_logprobs,
            "temperature": temperature,
        }

    @property
    def encoding(self) -> str:
        """How images are encoded, in words, such as ``png`` or ``jpeg 95``."""
        lossy = self.image_format == "jpeg"
        return f"jpeg {self.jpeg_quality}" if lossy else self.image_format

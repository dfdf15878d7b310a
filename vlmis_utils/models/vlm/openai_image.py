"""The image of a request: one encoding for all conditions, within the size that a host takes."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from vlmis_utils.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from vlmis_utils.models.vlm.openai_options import OpenAIOptions

__all__ = ["data_url", "encode"]


def encode(image: np.ndarray, options: OpenAIOptions, name: str) -> bytes:
    """Return an image as a file.

    Args:
        image: uint8 (H, W, 3), RGB.
        options: give the format and the limit.
        name: of the model, for the message.

    Raises:
        UserError: in base64 the file is larger than the limit.
    """
    from PIL import Image

    more: dict[str, object] = {}
    if options.image_format == "jpeg":
        more = {"quality": options.jpeg_quality, "subsampling": 0}
    elif options.image_format == "webp":
        more = {"lossless": True, "exact": True}
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format=options.image_format, **more)
    content = stream.getvalue()
    size = (len(content) + 2) // 3 * 4
    if options.max_bytes and size > options.max_bytes:
        remedy = "lower jpeg_quality" if more.get("quality") else "set image_format: jpeg"
        height, width = image.shape[:2]
        raise UserError(
            f"model {name!r}: a {height}x{width} image is {size} bytes as {options.encoding} in"
            f" base64, above its option max_bytes {options.max_bytes}: {remedy} in its options,"
            " which encodes the images of all conditions alike"
        )
    return content


def data_url(content: bytes, options: OpenAIOptions) -> str:
    """Return a file of `encode` as a data URL."""
    return f"data:image/{options.image_format};base64,{base64.b64encode(content).decode('ascii')}"

"""All prompts about one image: read once and answered together, against a prompt at a time.

The peer asks as the models' own pages show: image and question through the processor, then
``generate``, for every prompt anew (for CLIP: image and sentences encoded for every prompt). Both
sides decode greedily in float32, and their words must be equal. Ten closed questions, or the whole
prompt set with its description; an answer to the random models has a fixed length, as they end
none (4 tokens, a description 24). Run it with `make bench`; one thread, processor time.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import process_time
from typing import Any

import numpy as np
import torch
from paired import Row, paired, publish
from PIL import Image
from transformers import (
    CLIPImageProcessor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

from vlmis_utils.models.vlm.contrastive import Contrastive
from vlmis_utils.models.vlm.generative import Generative
from vlmis_utils.models.vlm.generative_options import Settings
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.models import find_model, load_catalogue
from vlmis_utils.protocol.prompts import PROMPTS, Prompt, contrastive_pairs
from vlmis_utils.training.nets.qwen_model import build_model, build_processor
from vlmis_utils.training.nets.tokenizer import chat_tokenizer

CLOSED = [prompt for prompt in PROMPTS if prompt.name != "describe"]
ROUNDS = 3
PEER = "transformers, prompt by prompt"
TURN = (
    "{% for m in messages %}USER: {% for c in m['content'] %}{% if c['type'] == 'image' %}<image>\n"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %} {% endfor %}ASSISTANT:"
)


def picture(height: int, width: int) -> tuple[torch.Tensor, Image.Image]:
    """Return one image of coarse noise, as uint8 (1, 3, H, W) and for PIL."""
    coarse = np.random.default_rng(0).integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    array = coarse.repeat(16, 0).repeat(16, 1)
    return torch.from_numpy(array).permute(2, 0, 1)[None].contiguous(), Image.fromarray(array)


def spread(model: Any) -> Any:
    """Draw weights so wide that image and question matter."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=0.15)
    return model


def qwen(height: int, width: int) -> tuple[Any, Any]:
    """Return a random Qwen2-VL of the embedded one's size, and a processor for such images."""
    processor = build_processor(height, width)
    return spread(build_model(processor.tokenizer)), processor


def llava() -> tuple[Any, Any]:
    """Return a random LLaVA: 576 places for an image of 336 pixels, as LLaVA-1.5 has."""
    tokenizer = chat_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]}, False)
    tokenizer.chat_template = TURN
    special = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    common = {"hidden_size": 160, "num_hidden_layers": 4, "num_attention_heads": 5}
    text = {
        "model_type": "llama",
        "vocab_size": len(tokenizer),
        "intermediate_size": 432,
        "num_key_value_heads": 5,
        "max_position_embeddings": 2048,
    }
    vision = {
        "model_type": "clip_vision_model",
        "intermediate_size": 640,
        "image_size": 336,
        "patch_size": 14,
    }
    config = LlavaConfig(
        text_config=text | common | special,
        vision_config=vision | common,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        tie_word_embeddings=False,
    )
    model = spread(LlavaForConditionalGeneration(config))
    for key, value in special.items():
        setattr(model.generation_config, key, value)
    size = {"height": 336, "width": 336}
    processor = LlavaProcessor(
        CLIPImageProcessor(size=size, do_center_crop=False),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TURN,
    )
    return model, processor


def random(model: Any, processor: Any) -> Generative:
    """Wrap a random model as the study would load it."""
    limits = Settings(describe_tokens=24, short_tokens=4)
    return Generative(model, processor, "random", settings=limits)


def apart(vlm: Generative, image: Image.Image, prompts: Sequence[Prompt]) -> list[str]:
    """Answer by the library alone, a prompt at a time."""
    said = []
    for prompt in prompts:
        content = [{"type": "image"}, {"type": "text", "text": prompt.text}]
        chat = vlm._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        inputs = vlm._processor(text=[chat], images=[image], return_tensors="pt")
        limit = vlm._settings.limit(prompt.name)
        with torch.inference_mode():
            out = vlm._model.generate(**inputs, max_new_tokens=limit, do_sample=False)
        new = out[:, inputs["input_ids"].shape[1] :]
        said += vlm._processor.batch_decode(new, skip_special_tokens=True)
    return said


def generative(
    subject: str,
    vlm: Generative,
    size: tuple[int, int],
    prompts: Sequence[Prompt],
    goal: float | None,
) -> Row:
    tensor, image = picture(*size)
    said: dict[str, list] = {}

    def ours() -> None:
        said["ours"] = [answer.text for answer in vlm.answer(tensor, prompts)[0]]

    def theirs() -> None:
        said["theirs"] = apart(vlm, image, prompts)

    ids = vlm._inputs([vlm._chat(prompts[0].text)], tensor)["input_ids"]
    inputs = f"{ids.shape[1]} tokens, {len(prompts)} prompts"
    row = paired(subject, inputs, PEER, ours, theirs, rounds=ROUNDS, goal=goal, clock=process_time)
    assert said["ours"] == said["theirs"], "the two ways say different things"
    return row


def contrastive(vlm: Contrastive, goal: float) -> Row:
    tensor, _ = picture(256, 512)

    def encode_each_time() -> None:
        for prompt in PROMPTS:
            vlm._texts.clear()
            vlm.logits(tensor, list(contrastive_pairs(prompt.name).values()))

    # Texts are encoded once in a run: the untimed round does it, and the peer forgets them.
    known: dict[str, torch.Tensor] = {}

    def ours() -> None:
        vlm._texts.update(known)
        vlm.answer(tensor, PROMPTS)
        known.update(vlm._texts)

    peer = "open_clip, prompt by prompt"
    inputs = f"256x512, {len(PROMPTS)} prompts"
    return paired(
        "CLIP, embedded", inputs, peer, ours, encode_each_time, goal=goal, clock=process_time
    )


def main() -> None:
    torch.set_num_threads(1)
    catalogue = load_catalogue()
    embedded = load_vlm(find_model(catalogue, "qwen2-vl"))
    rows = [generative("Qwen2-VL, embedded", embedded, (256, 512), PROMPTS, None)]
    for size, prompts, goal in (
        ((256, 960), CLOSED, 6.0),
        ((256, 960), PROMPTS, None),
        ((512, 1984), CLOSED, 8.0),
    ):
        vlm = random(*qwen(*size))
        rows.append(generative("Qwen2-VL, small random", vlm, size, prompts, goal))
    rows.append(generative("LLaVA, small random", random(*llava()), (336, 672), CLOSED, None))
    rows.append(contrastive(load_vlm(find_model(catalogue, "clip")), 5.0))
    publish("prompts", rows)


if __name__ == "__main__":
    main()

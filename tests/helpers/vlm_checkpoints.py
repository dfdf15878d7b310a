"""Tiny random checkpoints of the public models' exact classes, written as their authors do.

Weights are spread wide, so that images and prompts change what a model says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    BlipImageProcessor,
    CLIPImageProcessor,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessor,
    Idefics3Processor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

from vlmis_utils.training.nets.qwen_model import build_model, build_processor
from vlmis_utils.training.nets.tokenizer import chat_tokenizer, sentence_tokenizer

__all__ = ["CONTRASTIVE", "GENERATIVE", "make_contrastive"]

# LLaVA-1.5's turn format and that of SmolVLM.
LLAVA = (
    "{% for m in messages %}{{ m['role'].upper() }}: {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<image>\n{% else %}{{ c['text'] }}{% endif %}{% endfor %} "
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
SMOL = (
    "<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}:{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<image>{% else %} {{ c['text'] }}{% endif %}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
WIDTH = 32


def _save(model: Any, processor: Any, folder: Path, **generation: object) -> Path:
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=0.3)
    for key, value in generation.items():
        setattr(model.generation_config, key, value)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _tokenizer(template: str | None, *more: str) -> Any:
    tokenizer = chat_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": list(more)}, False)
    tokenizer.chat_template = template
    return tokenizer


def _llama(tokenizer: Any, kind: str = "llama") -> dict[str, Any]:
    return {
        "model_type": kind,
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "bos_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": False,
    }


def _special(tokenizer: Any) -> dict[str, int]:
    return {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}


def qwen2_vl(folder: Path) -> Path:
    processor = build_processor(64, 128)
    tokenizer = processor.tokenizer
    model = build_model(tokenizer, widths=(32, 64), layers=(1, 2))
    # The public checkpoints sample by default.
    more = {"do_sample": True, "top_k": 1, "top_p": 0.001, "temperature": 0.01}
    return _save(model, processor, folder, **_special(tokenizer), **more)


def qwen2_5_vl(folder: Path) -> Path:
    old = build_processor(64, 128)
    tokenizer = old.tokenizer
    token = tokenizer.convert_tokens_to_ids
    text = _llama(tokenizer, "qwen2_5_vl_text") | {
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2],
        },
        "tie_word_embeddings": True,
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 32, "out_hidden_size": WIDTH, "num_heads": 2,
        "intermediate_size": 48, "patch_size": 16, "spatial_merge_size": 2,
        "temporal_patch_size": 2, "window_size": 64, "fullatt_block_indexes": [1],
    }  # fmt: skip
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    processor = Qwen2_5_VLProcessor(
        old.image_processor, tokenizer, old.video_processor, chat_template=tokenizer.chat_template
    )
    model = Qwen2_5_VLForConditionalGeneration(config)
    # The public checkpoints punish repetition.
    return _save(model, processor, folder, repetition_penalty=1.5, **_special(tokenizer))


def llava(folder: Path) -> Path:
    tokenizer = _tokenizer(LLAVA, "<image>")
    vision = {
        "model_type": "clip_vision_model", "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    config = LlavaConfig(
        text_config=_llama(tokenizer),
        vision_config=vision,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        tie_word_embeddings=False,
    )
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = LlavaProcessor(
        images,
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=LLAVA,
    )
    return _save(LlavaForConditionalGeneration(config), processor, folder, **_special(tokenizer))


def blip2(folder: Path) -> Path:
    tokenizer = _tokenizer(None, "<image>")
    vision = {
        "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": 2,
        "num_attention_heads": 2, "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    former = {
        "vocab_size": 32, "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2, "num_attention_heads": 2, "encoder_hidden_size": WIDTH,
    }  # fmt: skip
    text = {
        "model_type": "opt", "vocab_size": len(tokenizer), "hidden_size": WIDTH,
        "ffn_dim": 2 * WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_position_embeddings": 256, "word_embed_proj_dim": WIDTH,
        "bos_token_id": tokenizer.pad_token_id, **_special(tokenizer),
    }  # fmt: skip
    config = Blip2Config(
        vision_config=vision,
        qformer_config=former,
        text_config=text,
        num_query_tokens=6,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    images = BlipImageProcessor(size={"height": 32, "width": 32})
    processor = Blip2Processor(images, tokenizer, num_query_tokens=6)
    return _save(Blip2ForConditionalGeneration(config), processor, folder, **_special(tokenizer))


def _idefics(folder: Path, config: Any, model: Any, images: Any, wrap: Callable[..., Any]) -> Path:
    marks = ("<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>")
    tiles = [f"<row_{i}_col_{j}>" for i in range(1, 7) for j in range(1, 7)]
    tokenizer = _tokenizer(SMOL, *marks, *tiles)
    vision = {
        "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": 2,
        "num_attention_heads": 2, "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    made = config(
        text_config=_llama(tokenizer),
        vision_config=vision,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    sizes = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}}
    processor = wrap(images(**sizes), tokenizer, image_seq_len=4, chat_template=SMOL)
    return _save(model(made), processor, folder, **_special(tokenizer))


def smolvlm(folder: Path) -> Path:
    def wrap(images: Any, tokenizer: Any, **more: Any) -> Any:
        sizes = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}}
        return SmolVLMProcessor(images, tokenizer, SmolVLMVideoProcessor(**sizes), **more)

    model = SmolVLMForConditionalGeneration
    return _idefics(folder, SmolVLMConfig, model, SmolVLMImageProcessor, wrap)


def idefics3(folder: Path) -> Path:
    model = Idefics3ForConditionalGeneration
    return _idefics(folder, Idefics3Config, model, Idefics3ImageProcessor, Idefics3Processor)


GENERATIVE: dict[str, Callable[[Path], Path]] = {
    "qwen2_vl": qwen2_vl,
    "qwen2_5_vl": qwen2_5_vl,
    "llava": llava,
    "blip2": blip2,
    "smolvlm": smolvlm,
    "idefics3": idefics3,
}

TEXT = {"context_length": 24, "width": 16, "heads": 2, "layers": 1, "hf_tokenizer_name": "own"}
VISION = {"image_size": [32, 64], "patch_size": 16, "width": 32, "layers": 1, "head_width": 16}
CONTRASTIVE = ("clip", "siglip")


def make_contrastive(folder: Path, kind: str) -> Path:
    """Write a tiny CLIP or SigLIP as open_clip's own `push_to_hf_hub` lays it out."""
    tokenizer = sentence_tokenizer()
    config: dict[str, Any] = {
        "embed_dim": 16,
        "vision_cfg": VISION,
        "text_cfg": {**TEXT, "vocab_size": len(tokenizer)},
    }
    if kind == "siglip":
        config |= {"custom_text": True, "init_logit_bias": -7.0}
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {"resize_mode": "squash"}})
    )
    torch.manual_seed(CONTRASTIVE.index(kind))
    wanted = open_clip.model.CustomTextCLIP if kind == "siglip" else open_clip.model.CLIP
    model = wanted(**{k: v for k, v in config.items() if k != "custom_text"})
    weights = {k: v.half().contiguous() for k, v in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    tokenizer.save_pretrained(str(folder))
    return folder

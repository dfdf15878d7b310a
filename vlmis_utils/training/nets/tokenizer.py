"""The small tokenizers of the embedded VLMs, in the format of Hugging Face tokenizers.

Byte-level BPE (Radford et al. 2019), so that any text can be written; its merges are learned from
the fixed corpus of training texts, so that every word a model needs is one token. The corpus, and
with it the vocabulary, is a function of the code alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vlmis_utils.protocol.prompts import PROMPTS, contrastive_pairs
from vlmis_utils.training.recipes.captions import corpus

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["CHAT_TEMPLATE", "chat_tokenizer", "sentence_tokenizer"]

# Qwen2-VL's turn format, without its default system turn.
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CHAT_TOKENS = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
    "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
_MERGED_SIZE = 1200


@lru_cache(maxsize=1)
def _base() -> str:
    """Return the JSON of the byte-level BPE without special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_MERGED_SIZE,
        min_frequency=1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    texts = [*corpus(), "user\n", "assistant\n"]
    for prompt in PROMPTS:
        texts += [prompt.text, *contrastive_pairs(prompt.name).values()]
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer.to_str()


def chat_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer of the Qwen2-VL checkpoint, with its seven special tokens."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_base()),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[t for t in _CHAT_TOKENS if t not in ("<|endoftext|>",)],
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
    )


def sentence_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer of the contrastive checkpoints: padding is 0, the end has the last id.

    open_clip pools a text where the id is greatest (``argmax``), as OpenAI's CLIP does.
    """
    import json

    from tokenizers import Tokenizer, processors
    from transformers import PreTrainedTokenizerFast

    read = json.loads(_base())
    vocabulary = {"<pad>": 0}
    for token, index in read["model"]["vocab"].items():
        vocabulary[token] = index + 1
    vocabulary["<start>"] = len(vocabulary)
    vocabulary["<end>"] = len(vocabulary)
    read["model"]["vocab"] = vocabulary
    read["normalizer"] = {"type": "Lowercase"}
    tokenizer: Any = Tokenizer.from_str(json.dumps(read))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>",
        special_tokens=[(name, vocabulary[name]) for name in ("<start>", "<end>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<start>", eos_token="<end>", pad_token="<pad>"
    )

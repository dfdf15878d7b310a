from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from transformers import AutoModelForImageTextToText, AutoProcessor

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.vlm import generative
from vlmis_utils.models.vlm.first_token import FirstStep, StopAtFirst, probabilities, sureness
from vlmis_utils.models.vlm.generative import Generative
from vlmis_utils.models.vlm.generative_options import checked
from vlmis_utils.models.vlm.loading import Vlm, load_vlm
from vlmis_utils.models.vlm.packed_decoding import Decoded, Rules, decode
from vlmis_utils.models.vlm.prefix_cache import Layout, Read
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.prompts import PROMPTS, Prompt, prompt
from vlmis_utils.training.nets.qwen_model import build_model, build_processor

ASKED = [
    prompt("describe"),
    prompt("presence/traffic light"),
    prompt("safety"),
    prompt("presence/car"),
]


def entry(checkpoint: str, **options: object) -> ModelEntry:
    options = {"describe_tokens": 10, "short_tokens": 5, **options}
    return ModelEntry("tiny", "vlm", "transformers-vlm", checkpoint, options=tuple(options.items()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qwen")
    torch.manual_seed(0)
    processor = build_processor(64, 128)
    model = build_model(processor.tokenizer, widths=(32, 64), layers=(1, 2))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=0.3)  # far from uniform, so that images and prompts matter
    model.save_pretrained(path)
    processor.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def vlm(folder: Path) -> Generative:
    loaded = load_vlm(entry(str(folder)))
    assert isinstance(loaded, Generative) and isinstance(loaded, Vlm)
    return loaded


def images(count: int = 3, height: int = 64, width: int = 128) -> torch.Tensor:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 3, height // 16, width // 16), dtype=np.uint8)
    return torch.from_numpy(coarse.repeat(16, 2).repeat(16, 3))


def texts(answers: list[list[Answer]]) -> list[list[str | None]]:
    """The words alone: probabilities differ by rounding between batches."""
    return [[answer.text for answer in row] for row in answers]


def plain(folder: Path, image: torch.Tensor, asked: Prompt, limit: int) -> str:
    """One image (or a stack of them) and one prompt, as the library's own page shows."""
    stack = list(image) if image.ndim == 4 else [image]
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    content = [*({"type": "image"} for _ in stack), {"type": "text", "text": asked.text}]
    chat = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True
    )
    inputs = processor(text=[chat], images=stack, return_tensors="pt")
    out = model.generate(**inputs, max_new_tokens=limit, do_sample=False)
    return processor.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)[
        0
    ]


def test_shared_and_padded_answers_equal_plain_generation(folder: Path, vlm: Generative) -> None:
    assert vlm.share_images
    answers = vlm.answer(images(), ASKED)
    said = {text for row in texts(answers) for text in row}
    assert len(said) > 4  # the model does look at image and prompt
    for image, row in zip(images(), answers, strict=True):
        for asked, answer in zip(ASKED, row, strict=True):
            assert answer.text == plain(folder, image, asked, 10 if asked.name == "describe" else 5)
            assert answer.labels == () and answer.scores == ()


def test_several_images_in_one_prompt_equal_plain_generation(folder: Path, vlm: Generative) -> None:
    frames = torch.stack([images()[[0, 1, 2]], images()[[2, 1, 0]]])
    together = texts(vlm.answer_together(frames, ASKED))
    assert together[0] != together[1]  # their order is seen
    for stack, row in zip(frames, together, strict=True):
        for asked, text in zip(ASKED[:3:2], row[:3:2], strict=True):
            assert text == plain(folder, stack, asked, 10 if asked.name == "describe" else 5)
    assert texts(vlm.answer_together(frames[0][:, None], ASKED)) == texts(
        vlm.answer(frames[0], ASKED)
    )


def test_the_fallback_answers_the_same(vlm: Generative, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = vlm.answer(images(), PROMPTS)
    monkeypatch.setattr(vlm, "share_images", False)
    apart = vlm.answer(images(), PROMPTS)
    assert texts(apart) == texts(shared)
    for one, other in zip(sum(apart, []), sum(shared, []), strict=True):
        assert (one.p_yes is None) == (other.p_yes is None)
        if one.p_yes is not None:
            assert (one.p_yes, one.p_no) == pytest.approx((other.p_yes, other.p_no), rel=1e-3)


def test_first_token_probabilities_are_those_of_a_forward_pass(
    folder: Path, vlm: Generative
) -> None:
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    answered = dict(zip([p.name for p in ASKED], vlm.answer(images(1), ASKED)[0], strict=True))
    assert (answered["describe"].p_yes, answered["describe"].p_no) == (None, None)
    for asked in ASKED[1:]:
        content = [{"type": "image"}, {"type": "text", "text": asked.text}]
        chat = processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        inputs = processor(text=[chat], images=[images(1)[0]], return_tensors="pt")
        with torch.inference_mode():
            shares = model(**inputs).logits[0, -1].softmax(-1)
        words = [processor.tokenizer.decode([i]).strip().lower() for i in range(len(shares))]
        for word, got in (("yes", answered[asked.name].p_yes), ("no", answered[asked.name].p_no)):
            expected = sum(float(s) for w, s in zip(words, shares, strict=True) if w == word)
            assert got == pytest.approx(expected, rel=1e-3)


def test_a_vocabulary_without_the_words_tells_nothing() -> None:
    step = FirstStep()
    step(torch.zeros(2, 1), torch.randn(2, 5))
    assert probabilities(step.shares, []) == [None, None]
    assert probabilities(step.shares, [0, 1, 2, 3, 4]) == pytest.approx([1, 1])


def test_a_template_that_asks_first_shares_nothing(
    vlm: Generative, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asks_first(text: str) -> str:
        content = [{"type": "text", "text": text}, {"type": "image"}]
        return vlm._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )

    usual = vlm.answer(images(), ASKED)
    monkeypatch.setattr(vlm, "_chat", asks_first)
    turned = vlm.answer(images(), ASKED)
    assert texts(turned) != texts(usual)
    monkeypatch.setattr(vlm, "share_images", False)
    assert texts(vlm.answer(images(), ASKED)) == texts(turned)


def test_batches_do_not_matter(vlm: Generative) -> None:
    together = vlm.answer(images(), ASKED)
    assert texts([vlm.answer(images()[i : i + 1], ASKED)[0] for i in range(3)]) == texts(together)
    assert vlm.answer(images(0), ASKED) == []


def test_the_order_of_prompts_does_not_matter(vlm: Generative) -> None:
    forwards, backwards = vlm.answer(images(1), ASKED), vlm.answer(images(1), ASKED[::-1])
    assert texts(forwards)[0] == texts(backwards)[0][::-1]


def test_the_digest_follows_weights_and_limits(folder: Path, vlm: Generative) -> None:
    assert load_vlm(entry(str(folder))).digest == vlm.digest and len(vlm.digest) == 16
    assert load_vlm(entry(str(folder), short_tokens=6)).digest != vlm.digest


def test_pixel_limits_reach_the_processor(folder: Path) -> None:
    small = load_vlm(entry(str(folder), min_pixels=32 * 64, max_pixels=32 * 64))
    size = small._processor.image_processor.size
    assert (size["shortest_edge"], size["longest_edge"]) == (2048, 2048)
    assert len(small.answer(images(1), ASKED)[0]) == len(ASKED)


@pytest.mark.parametrize("name", ["./nowhere", "vlmis_utils/training/checkpoints/nowhere"])
def test_a_missing_folder_is_named(name: str) -> None:
    with pytest.raises(UserError, match="nowhere") as error:
        load_vlm(entry(name))
    assert "\n" not in str(error.value)


def test_truncated_weights_are_named(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:4000])
    with pytest.raises(UserError, match="model.safetensors.*make weights") as error:
        load_vlm(entry(str(tmp_path)))
    assert "\n" not in str(error.value)


def test_bad_options_and_images_are_refused(folder: Path, vlm: Generative) -> None:
    with pytest.raises(UserError, match="short_tokens"):
        load_vlm(entry(str(folder), short_tokens="many"))
    with pytest.raises(UserError, match="uint8"):
        vlm.answer(images().float(), ASKED)


@pytest.mark.parametrize("shared", [True, False])
def test_an_answer_can_stop_at_its_first_decisive_token(
    folder: Path, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, one = load_vlm(entry(str(folder))), load_vlm(entry(str(folder), short_tokens=1))
    cut = load_vlm(entry(str(folder), stop="first"))
    assert whole.digest != cut.digest
    monkeypatch.setattr(cut, "share_images", shared)
    for words, presence in (([], whole), (range(len(cut._processor.tokenizer)), one)):
        monkeypatch.setattr(cut, "_words", {"yes": [], "no": list(words)})
        got, full, short = (texts(vlm.answer(images(), ASKED)) for vlm in (cut, whole, presence))
        for i, asked in enumerate(ASKED):
            wanted = short if asked.name.startswith("presence/") else full
            assert [row[i] for row in got] == [row[i] for row in wanted]


def test_only_a_first_token_ends_a_text() -> None:
    stop = StopAtFirst([3, 5])
    assert stop(torch.tensor([[1, 3], [1, 4]]), torch.zeros(2, 9)).tolist() == [True, False]
    assert stop(torch.tensor([[1, 3, 3], [1, 4, 5]]), torch.zeros(2, 9)).tolist() == [False, False]


def test_a_wrong_end_is_named(folder: Path) -> None:
    with pytest.raises(UserError, match="option stop must be 'end' or 'first', not 'soon'"):
        load_vlm(entry(str(folder), stop="soon"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_memory_that_does_not_do_halves_what_is_answered_together(
    folder: Path,
    dtype: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    vlm = load_vlm(entry(str(folder), dtype=dtype, images_together=3))
    wanted = texts(vlm.answer(images(), ASKED))
    sizes = []

    def small(model: object, seen: Read, layout: Layout, rules: Rules) -> Decoded:
        size = (len(seen.cache.layers[0].keys), len(layout.tails))
        sizes.append(size)
        if size[0] * size[1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(model, seen, layout, rules)

    monkeypatch.setattr(generative, "decode", small)
    got = texts(vlm.answer(images(), ASKED))
    assert sizes[:4] == [(3, 4), (2, 4), (1, 4), (1, 2)] and max(sizes[3:])[0] == 1
    assert len(got) == len(wanted) and (dtype == "bfloat16" or got == wanted)
    said = capsys.readouterr().err
    assert ("set images_together" in said) == (dtype == "bfloat16")

    def none(*_: object) -> Decoded:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(generative, "decode", none)
    with pytest.raises(RunError, match="one image does not fit"):
        vlm.answer(images(), ASKED)


def test_what_is_computed_together_is_recorded_in_half_precision_alone(folder: Path) -> None:
    def digests(dtype: str) -> list[str]:
        made = [checked(entry(str(folder), dtype=dtype, images_together=n), "cpu") for n in (2, 3)]
        model, processor = load_vlm(entry(str(folder)))._model, build_processor(64, 128)
        return [Generative(model, processor, "same", settings=own).digest for own in made]

    assert len(set(digests("float32"))) == 1
    assert len(set(digests("bfloat16"))) == 2


def test_how_sure_a_first_token_is_by_scipy() -> None:
    shares = torch.softmax(3 * torch.randn(5, 40, generator=torch.manual_seed(0)), dim=-1)
    entropies, margins = sureness(shares)
    assert entropies == pytest.approx(stats.entropy(shares.double().T.numpy(), base=40), rel=1e-4)
    ranked = shares.sort(dim=-1).values
    assert margins == pytest.approx((ranked[:, -1] - ranked[:, -2]).tolist(), rel=1e-4)

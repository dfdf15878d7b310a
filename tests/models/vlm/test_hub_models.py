"""Every family of VLM by hub id, from a server on the loopback address, as a user would name it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import open_clip
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    Qwen2VLImageProcessor,
    SmolVLMImageProcessor,
)

from tests.helpers import fakes
from tests.helpers.hub import Hub
from tests.helpers.vlm_checkpoints import (
    CONTRASTIVE,
    GENERATIVE,
    TEXT,
    VISION,
    make_contrastive,
)
from vlmis_utils.core.errors import UserError
from vlmis_utils.models.vlm.chat_template import limit_pixels
from vlmis_utils.models.vlm.loading import Vlm, load_vlm
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.models import ModelEntry, load_catalogue
from vlmis_utils.protocol.prompts import PROMPTS, Prompt, contrastive_pairs, prompt
from vlmis_utils.records.run_info import read_run
from vlmis_utils.runner import run
from vlmis_utils.runner.context import Loaders, RunContext

ASKED = [prompt("describe"), prompt("presence/car"), prompt("safety"), prompt("presence/bus")]
LENGTHS = {"describe_tokens": 6, "short_tokens": 3}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("hub")
    for name, make in GENERATIVE.items():
        make(root / "tiny" / name)
    for name in CONTRASTIVE:
        make_contrastive(root / "tiny" / name, name)
    with Hub(root, tmp_path_factory.mktemp("cache")) as running:
        yield running


def entry(name: str, revision: str | None = None, **options: object) -> ModelEntry:
    library = "transformers-vlm" if name in GENERATIVE else "open_clip"
    prefix = "" if name in GENERATIVE else "hf-hub:"
    options = {**LENGTHS, **options} if name in GENERATIVE else options
    return ModelEntry(
        name, "vlm", library, f"{prefix}tiny/{name}", revision, options=tuple(options.items())
    )


def images(count: int = 2, height: int = 64, width: int = 128) -> torch.Tensor:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 3, height // 16, width // 16), dtype=np.uint8)
    return torch.from_numpy(coarse.repeat(16, 2).repeat(16, 3))


@pytest.fixture(autouse=True)
def _one_thread():
    """Models this small lose by sharing their work out."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@lru_cache(maxsize=1)
def library(folder: Path) -> tuple[Any, Any]:
    processor = AutoProcessor.from_pretrained(folder)
    return processor, AutoModelForImageTextToText.from_pretrained(folder).eval()


def plain(folder: Path, image: torch.Tensor, asked: Prompt) -> Answer:
    """One image and one prompt by the library alone, as the models' cards show it."""
    processor, model = library(folder)
    text = asked.text
    if processor.chat_template:
        content = [{"type": "image"}, {"type": "text", "text": text}]
        text = processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    inputs = processor(text=text, images=[picture], return_tensors="pt")
    limit = LENGTHS["describe_tokens" if asked.name == "describe" else "short_tokens"]
    with torch.inference_mode():
        shares = model(**inputs).logits[0, -1].softmax(-1)
        ids = model.generate(
            **inputs, max_new_tokens=limit, do_sample=False, repetition_penalty=1.0
        )[0, inputs["input_ids"].shape[1] :]
    words = [processor.tokenizer.decode([i]).strip().lower() for i in range(len(shares))]
    yes, no = (
        sum(float(s) for w, s in zip(words, shares, strict=True) if w == word)
        for word in ("yes", "no")
    )
    return Answer(processor.decode(ids, skip_special_tokens=True), p_yes=yes, p_no=no)


@pytest.mark.parametrize("name", GENERATIVE)
def test_answers_of_a_hub_model_are_the_library_s_own(server: Hub, name: str) -> None:
    commit = server._commit(f"tiny/{name}", "main")
    vlm = load_vlm(entry(name, commit))
    assert isinstance(vlm, Vlm)
    answered = vlm.answer(images(), ASKED)
    said = {answer.text for row in answered for answer in row}
    assert len(said) > 3  # image and prompt matter
    for image, row in zip(images(), answered, strict=True):
        for asked, answer in zip(ASKED, row, strict=True):
            wanted = plain(server.folder / "tiny" / name, image, asked)
            assert answer.text == wanted.text
            if asked.name != "describe":
                got = (answer.p_yes, answer.p_no)
                assert got == pytest.approx((wanted.p_yes, wanted.p_no), rel=2e-3, abs=1e-6)
    assert not server.asked(ending=".bin")


@pytest.mark.parametrize("name", GENERATIVE)
def test_batches_and_half_precision_answer_every_prompt(server: Hub, name: str) -> None:
    vlm = load_vlm(entry(name))
    together = [[a.text for a in row] for row in vlm.answer(images(), ASKED)]
    apart = [[a.text for a in vlm.answer(images()[i : i + 1], ASKED)[0]] for i in range(2)]
    assert together == apart
    halved = load_vlm(entry(name, dtype="bfloat16"))
    assert halved.digest != vlm.digest
    assert [len(row) for row in halved.answer(images(), ASKED)] == [len(ASKED)] * 2


# Of a 64 x 128 image. Qwen: merged patches of 32 x 32 pixels. LLaVA: one 32 x 32 crop in patches
# of 8. BLIP-2: its queries. The tiling ones: two tiles and the whole, four tokens each.
TOKENS = {"qwen2_vl": 8, "qwen2_5_vl": 8, "llava": 16, "blip2": 6, "smolvlm": 12, "idefics3": 12}


@pytest.mark.parametrize("name", GENERATIVE)
def test_visual_tokens_are_counted(server: Hub, name: str) -> None:
    assert load_vlm(entry(name)).visual_tokens(64, 128) == TOKENS[name]


@pytest.mark.parametrize(
    ("name", "options", "tokens"),
    [
        ("qwen2_vl", {"min_pixels": 32 * 64, "max_pixels": 32 * 64}, 2),
        ("qwen2_5_vl", {"min_pixels": 128 * 256, "max_pixels": 128 * 256}, 32),
        ("smolvlm", {"image_splitting": 0}, 4),
        ("idefics3", {"longest_edge": 128}, 36),
    ],
)
def test_a_budget_is_kept_whatever_the_image(
    server: Hub, name: str, options: dict[str, int], tokens: int
) -> None:
    vlm = load_vlm(entry(name, **options))
    assert [vlm.visual_tokens(h, w) for h, w in ((64, 128), (128, 256))] == [tokens, tokens]
    assert len(vlm.answer(images(1), ASKED)[0]) == len(ASKED)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("llava", {"max_pixels": 4096}, "max_pixels means nothing to CLIPImageProcessor"),
        ("qwen2_vl", {"image_splitting": 0}, "image_splitting means nothing"),
        ("qwen2_vl", {"max_pixels": "many"}, "max_pixels must be a whole number"),
        ("blip2", {"question": "Question:"}, "question must be text with {prompt}"),
        ("blip2", {"dtype": "float61"}, "dtype must be 'auto', .*, not 'float61'"),
        ("blip2", {"max_pixel": 4}, "unknown option 'max_pixel' .did you mean 'max_pixels'"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    server: Hub, name: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        load_vlm(entry(name, **options))


def test_a_whole_image_is_seen_where_the_model_would_crop(server: Hub) -> None:
    cropping, whole = load_vlm(entry("llava")), load_vlm(entry("llava", whole_image=1))
    middle = images(1)
    sides = middle.clone()
    sides[..., :16] = 255 - sides[..., :16]
    seen = [[[a.p_yes for a in vlm.answer(p, ASKED[1:])[0]] for p in (middle, sides)]
            for vlm in (cropping, whole)]  # fmt: skip
    assert seen[0][0] == seen[0][1] and seen[1][0] != seen[1][1]
    assert whole.visual_tokens(64, 128) == cropping.visual_tokens(64, 128) == 16
    with pytest.raises(UserError, match="whole_image means nothing to Qwen2VLImageProcessor"):
        load_vlm(entry("qwen2_vl", whole_image=1))


def test_a_model_without_a_chat_template_is_asked_in_plain_words(server: Hub) -> None:
    worded = load_vlm(entry("blip2", question="Question: {prompt} Answer:"))
    bare = load_vlm(entry("blip2"))
    asked = Prompt("presence/car", f"Question: {ASKED[1].text} Answer:")
    assert worded._chat("Who?") == "Question: Who? Answer:"
    got, wanted = worded.answer(images(), ASKED[1:2]), bare.answer(images(), [asked])
    assert [row[0].text for row in got] == [row[0].text for row in wanted]
    assert worded.digest != bare.digest


def test_memory_is_found_by_halving_images_then_prompts(
    server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    vlm = load_vlm(entry("llava"))
    wanted = [[a.text for a in row] for row in vlm.answer(images(), ASKED)]
    whole, sizes = vlm._answer, []

    def small(pictures: torch.Tensor, prompts: list[Prompt]) -> list[list[Answer]]:
        sizes.append((len(pictures), len(prompts)))
        if len(pictures) * len(prompts) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(pictures, prompts)

    monkeypatch.setattr(vlm, "_answer", small)
    assert [[a.text for a in row] for row in vlm.answer(images(), ASKED)] == wanted
    assert sizes == [(2, 4), (1, 4), (1, 2), (1, 2), (1, 4), (1, 2), (1, 2)]


def test_code_of_its_own_is_never_run(server: Hub) -> None:
    folder = server.folder / "tiny" / "coded"
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps({"model_type": "coded", "auto_map": {
            "AutoConfig": "modeling.Config", "AutoModelForImageTextToText": "modeling.Model",
            "AutoProcessor": "modeling.Processor"}})
    )  # fmt: skip
    (folder / "modeling.py").write_text("raise SystemExit('run')")
    (folder / "model.safetensors").write_bytes(b"")
    server.commit("tiny/coded")
    coded = ModelEntry("coded", "vlm", "transformers-vlm", "tiny/coded")
    with pytest.raises(UserError, match="needs code of its own, which is never run") as caught:
        load_vlm(coded)
    assert "\n" not in str(caught.value)
    assert not server.asked(ending=".py")


@pytest.mark.parametrize("name", CONTRASTIVE)
def test_a_contrastive_hub_model_scores_as_its_folder_does(server: Hub, name: str) -> None:
    commit = server._commit(f"tiny/{name}", "main")
    folder = server.folder / "tiny" / name
    local = load_vlm(ModelEntry(name, "vlm", "open_clip", str(folder)))
    vlm = load_vlm(entry(name, commit))
    assert vlm.answer(images(), PROMPTS) == local.answer(images(), PROMPTS)
    assert vlm.visual_tokens(64, 128) == 8
    with server.offline():
        assert load_vlm(entry(name, commit)).digest == vlm.digest


def test_a_generative_id_under_the_wrong_library_is_named(server: Hub) -> None:
    wrong = ModelEntry("wrong", "vlm", "open_clip", "hf-hub:tiny/llava")
    with pytest.raises(UserError, match="open_clip_config.json|safetensors"):
        load_vlm(wrong)
    with pytest.raises(UserError, match="put hf-hub: in front of a hub id"):
        load_vlm(ModelEntry("wrong", "vlm", "open_clip", "tiny/clip"))


@pytest.mark.parametrize("name", CONTRASTIVE)
def test_a_tag_is_fetched_pinned_with_the_settings_it_was_trained_with(
    server: Hub, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"embed_dim": 16, "vision_cfg": VISION, "text_cfg": {**TEXT, "vocab_size": 0}}
    config["text_cfg"] |= {"hf_tokenizer_name": f"tiny/{name}"}
    saved = json.loads((server.folder / "tiny" / name / "open_clip_config.json").read_text())
    config["text_cfg"]["vocab_size"] = saved["model_cfg"]["text_cfg"]["vocab_size"]
    if name == "siglip":
        config |= {"custom_text": True, "init_logit_bias": -7.0}
    facts = {
        "hf_hub": f"tiny/{name}/", "quick_gelu": name == "clip", "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5), "interpolation": "bicubic", "resize_mode": "squash",
    }  # fmt: skip
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "Tiny", config)
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny", {"webli": facts})
    commit = server._commit(f"tiny/{name}", "main")
    tagged = ModelEntry("tagged", "vlm", "open_clip", "Tiny/webli", commit)
    got = load_vlm(tagged).answer(images(), [prompt("safety")])

    file = str(server.folder / "tiny" / name / "open_clip_model.safetensors")
    model, preprocess = open_clip.create_model_from_pretrained(
        "Tiny", file, image_mean=facts["mean"], image_std=facts["std"], image_resize_mode="squash",
        force_quick_gelu=facts["quick_gelu"],
    )  # fmt: skip
    tokens = open_clip.get_tokenizer("Tiny")(list(contrastive_pairs("safety").values()))
    pictures = [Image.fromarray(p.permute(1, 2, 0).numpy()) for p in images()]
    with torch.inference_mode():
        wanted, _ = model.eval().get_logits(torch.stack([preprocess(p) for p in pictures]), tokens)
    torch.testing.assert_close(torch.tensor([row[0].scores for row in got]), wanted)
    assert load_vlm(tagged).digest == load_vlm(tagged).digest
    with server.offline():
        assert load_vlm(tagged).answer(images(), [prompt("safety")]) == got


def test_open_clip_s_own_configuration_cannot_ask_for_code(server: Hub) -> None:
    folder = make_contrastive(server.folder / "tiny" / "sly", "clip")
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["text_cfg"]["tokenizer_kwargs"] = {"trust_remote_code": True}
    path.write_text(json.dumps(config))
    server.commit("tiny/sly")
    with pytest.raises(UserError, match="asks for code of its own, which is never run"):
        load_vlm(ModelEntry("sly", "vlm", "open_clip", "hf-hub:tiny/sly"))


def test_the_catalogue_states_the_tokens_that_its_options_give() -> None:
    catalogue, picture = load_catalogue(), [torch.zeros(3, 1024, 2048, dtype=torch.uint8)]
    for name in ("qwen2-vl-2b", "qwen2-vl-7b", "qwen2.5-vl-7b"):
        entry = catalogue[name]
        made = SimpleNamespace(image_processor=Qwen2VLImageProcessor())
        limit_pixels(made, entry)
        grid = made.image_processor(images=picture, return_tensors="pt")["image_grid_thw"]
        assert entry.visual_tokens.startswith(f"{int(grid.prod()) // 4}, at most 1280")
    # SmolVLM2 cuts into tiles of 384 pixels, 81 tokens each.
    tiling = SmolVLMImageProcessor(max_image_size={"longest_edge": 384})
    made = SimpleNamespace(image_processor=tiling)
    limit_pixels(made, catalogue["smolvlm2-2.2b"])
    tiles = made.image_processor(images=picture, return_tensors="pt")["pixel_values"].shape[1]
    assert catalogue["smolvlm2-2.2b"].visual_tokens.startswith(f"{tiles * 81}, 81 for each of 8")
    for name, patch in (("clip-vit-b-32", 32), ("clip-vit-l-14", 14), ("siglip-vit-b-16", 16),
                        ("siglip2-vit-b-16", 16)):  # fmt: skip
        assert catalogue[name].visual_tokens == f"{(224 // patch) ** 2} patches"


def test_open_clip_knows_every_tag_of_the_catalogue() -> None:
    known = open_clip.list_pretrained()
    ours = [e.checkpoint for e in load_catalogue().values() if e.library == "open_clip"]
    tags = [checkpoint for checkpoint in ours if not checkpoint.startswith("vlmis_utils/")]
    assert len(tags) == 4 and all(tuple(tag.split("/")) in known for tag in tags)


def test_a_study_on_pinned_hub_models_needs_neither_hub_nor_model_again(
    server: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = fakes.make_study(tmp_path, 2, conditions=("clean", "MB3"))
    catalogue = yaml.safe_load(Path(study.models).read_text())
    names = [*GENERATIVE, *CONTRASTIVE]
    for name in names:
        model = entry(name, server._commit(f"tiny/{name}", "main"))
        catalogue[name] = {"library": model.library, "checkpoint": model.checkpoint,
                           "revision": model.revision, "options": dict(model.options)}  # fmt: skip
    Path(study.models).write_text(yaml.safe_dump(catalogue))
    study = replace(study, vlms=tuple(names))
    loaders = Loaders(fakes.load_segmenter, load_vlm)
    run.run(study, loaders=loaders)
    answers = pd.read_parquet(study.records / "answers.parquet")
    assert answers.groupby("vlm").size().to_dict() == dict.fromkeys(names, 2 * 3 * len(PROMPTS))
    known = read_run(study.records)["models"]
    for name in names:
        assert known[name]["commit"] == server._commit(f"tiny/{name}", "main")
        assert list(known[name]["visual_tokens"]) == ["24x32"]
    before = len(server.requests)

    def loaded(*_: object) -> None:
        pytest.fail("a model was loaded")

    monkeypatch.setattr(RunContext, "model", loaded)
    with server.offline():
        run.run(study, loaders=loaders)
    assert len(server.requests) == before

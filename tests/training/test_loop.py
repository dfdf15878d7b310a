import csv
import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.training import data as training_data
from vlmis_utils.training import weights
from vlmis_utils.training.data import (
    SCENES,
    TrainingData,
    load_training,
    scene_weights,
)
from vlmis_utils.training.loop import fit
from vlmis_utils.training.nets.segmenter_losses import class_weights, pixel_loss, query_loss
from vlmis_utils.training.recipes import train_segmenters
from vlmis_utils.training.recipes.crops import (
    Phase,
    augment,
    batches,
    turn_chroma,
)


class Stop(Exception):
    pass


def _toy(folder, *, steps=12, stop_at=None, save_every=3, **changes):
    torch.manual_seed(5)
    model = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1)
    )
    calls = []

    def make_batch(rng, progress):
        calls.append(progress)
        if stop_at is not None and len(calls) > stop_at:
            raise Stop
        return torch.from_numpy(rng.normal(size=(6, 4)).astype(np.float32))

    def loss(model, x):
        return (model(x)[:, 0] - x.sum(1)).square().mean()

    settings = {
        "lr": 1e-2,
        "weight_decay": 0.1,
        "warmup": 3,
        "out": folder,
        "seed": 7,
        "save_every": save_every,
        "eval_every": 5,
        "evaluate": lambda model: float(not model.training),
        "log": folder / "logs" / "toy.csv",
        **changes,
    }
    return fit("toy", model, make_batch, loss, steps=steps, **settings), calls


@pytest.mark.parametrize("stop_at", [1, 4, 7, 11])
def test_a_killed_run_resumes_to_the_same_weights(tmp_path, stop_at):
    whole, _ = _toy(tmp_path / "whole")
    with pytest.raises(Stop):
        _toy(tmp_path / "cut", stop_at=stop_at)
    resumed, calls = _toy(tmp_path / "cut")
    assert len(calls) <= 12 - stop_at + 3
    assert resumed.step == whole.step == 12
    for one, two in zip(
        whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two)


def test_a_finished_run_is_not_repeated_and_another_recipe_is_not_resumed(tmp_path):
    first, calls = _toy(tmp_path, signature="a")
    assert calls == [step / 12 for step in range(12)]
    again, none = _toy(tmp_path, signature="a")
    assert none == [] and again.metric == first.metric == 1.0 and not again.model.training
    assert len(_toy(tmp_path, signature="b")[1]) == 12


def test_log_and_minutes(tmp_path):
    _toy(tmp_path)
    rows = list(csv.DictReader((tmp_path / "logs" / "toy.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["5", "10", "12"]
    assert list(rows[0]) == ["step", "minutes", "loss", "metric"]
    timed, calls = _toy(tmp_path / "timed", steps=0, minutes=0.01)
    assert timed.minutes >= 0.01 and timed.step == len(calls) > 1
    assert calls == sorted(calls) and calls[-1] < 1


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    with pytest.raises(RunError, match="lower lr"):
        fit(
            "nan",
            nn.Linear(1, 1),
            lambda rng, progress: torch.full((1, 1), math.nan),
            lambda model, x: model(x).sum(),
            steps=50,
            lr=1.0,
            weight_decay=0,
            warmup=1,
            out=tmp_path,
            seed=0,
            save_every=10,
            eval_every=10,
            evaluate=lambda model: 0.0,
        )


def _street(count=6, height=64, width=128):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    labels = rng.integers(0, 19, (count, height // 8, width // 8), dtype=np.uint8)
    labels = labels.repeat(8, axis=1).repeat(8, axis=2)
    labels[:, :8, :8] = 255
    counts = np.stack([np.bincount(x.ravel(), minlength=256)[:19] for x in labels])
    ids = [str(index) for index in range(count)]
    return TrainingData(images, labels, counts, np.zeros(count, bool), [""] * count, ids)


def test_chroma_jitter_keeps_luma():
    image = 0.35 + 0.3 * torch.rand(3, 9, 11)
    luma = torch.tensor([0.299, 0.587, 0.114])
    for angle, gain in ((0.4, 1.2), (-0.6, 0.7), (0.0, 1.0)):
        turned = turn_chroma(image, angle, gain)
        before, after = (torch.einsum("c,chw->hw", luma, x) for x in (image, turned))
        assert torch.allclose(before, after, atol=2e-4)
    assert torch.allclose(turn_chroma(image, 0.0, 1.0), image, atol=1e-5)
    grey = torch.full((3, 4, 4), 0.5)
    assert torch.allclose(turn_chroma(grey, 1.0, 1.3), grey, atol=1e-4)


def test_augmentation_never_darkens_blurs_or_enlarges():
    data = _street()
    whole = Phase(1.0, 64, 128, (1.0, 1.0), 1)
    for seed in range(20):
        x, y = augment(data.images[0], data.labels[0], whole, np.random.default_rng(seed))
        original = torch.from_numpy(data.images[0]).permute(2, 0, 1) / 255
        flipped = bool((y.numpy() == data.labels[0][:, ::-1]).all())
        assert flipped or bool((y.numpy() == data.labels[0]).all())
        reference = original.flip(-1) if flipped else original
        assert abs(float(x.mean() - reference.mean())) < 0.02
        # The horizontal gradient of the luma is what a blur would take away.
        grey, grey0 = (t.mul(torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0)
                       for t in (x, reference))  # fmt: skip
        assert grey.diff().abs().mean() > 0.8 * grey0.diff().abs().mean()
    wide = Phase(1.0, 32, 64, (1.0, 4.0), 1)  # a scale above 1 is held at 1
    for seed in range(20):
        _, y = augment(data.images[1], data.labels[1], wide, np.random.default_rng(seed))
        runs = (y[:, 1:] != y[:, :-1]).any(0).nonzero()[:, 0].diff()
        assert runs.numel() == 0 or int(runs.max()) <= 16


def test_image_and_labels_stay_aligned():
    labels = _street().labels[0]
    image = labels[..., None].repeat(3, axis=-1)
    phase = Phase(1.0, 32, 64, (0.5, 1.0), 1)
    agree = []
    for seed in range(10):
        x, y = augment(image, labels, phase, np.random.default_rng(seed))
        agree.append(((x[0] * 255 - y).abs() < 1.5).float().mean().item())
    assert np.mean(agree) > 0.75  # all but the edges that shrinking mixes


def test_focused_crops_find_a_small_thing():
    image = np.zeros((64, 128, 3), np.uint8)
    labels = np.zeros((64, 128), np.uint8)
    labels[20:26, 100:106] = 11
    found = {}
    for focus in (0.0, 1.0):
        phase = Phase(1.0, 16, 32, (1.0, 1.0), 1, focus=focus)
        crops = [augment(image, labels, phase, np.random.default_rng(s))[1] for s in range(100)]
        assert {tuple(crop.shape) for crop in crops} == {(16, 32)}
        found[focus] = np.mean([bool((crop == 11).any()) for crop in crops])
    assert found[0.0] < 0.35 < 0.5 < found[1.0]


def test_batches_follow_the_phases_and_repeat():
    make = batches(_street(), (Phase(0.5, 32, 64, (0.5, 1), 3), Phase(1, 64, 128, (1, 1), 2)))
    x, y = make(np.random.default_rng((0, 1)), 0.2)
    assert x.shape == (3, 3, 32, 64) and y.shape == (3, 32, 64)
    assert x.dtype == torch.float32 and y.dtype == torch.int64 and 0 <= x.min() <= x.max() <= 1
    again = make(np.random.default_rng((0, 1)), 0.2)
    assert torch.equal(x, again[0]) and torch.equal(y, again[1])
    assert make(np.random.default_rng(0), 0.5)[0].shape == (2, 3, 64, 128)


def test_scene_weights_favour_rare_classes():
    counts = np.zeros((10, 19), dtype=np.int64)
    counts[:, 0] = 1000
    counts[3, 18] = 100
    data = dataclasses.replace(_street(10), counts=counts)
    probabilities = scene_weights(data)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.argmax() == 3
    assert probabilities[3] == pytest.approx(probabilities[0] * math.sqrt(10))


def test_losses_fall_to_nothing_on_a_perfect_answer():
    labels = torch.from_numpy(_street().labels[:2].astype(np.int64))
    even = class_weights(np.full(19, 1 / 19))
    assert even.numpy() == pytest.approx(np.ones(19))
    hot = nn.functional.one_hot(labels.clamp(max=19), 20)[..., :19].movedim(-1, 1).float()
    perfect = 40 * (hot - 0.5)
    assert float(pixel_loss(perfect, labels, even)) < 1e-3
    shown = hot.flatten(2).sum(-1) > 0
    classes = torch.full((2, 19, 20), -20.0)
    classes[..., 19] = torch.where(shown, -20.0, 20.0)
    classes[:, torch.arange(19), torch.arange(19)] = torch.where(shown, 20.0, -20.0)
    masks = nn.functional.avg_pool2d(perfect, 4)
    assert float(query_loss(classes, masks, labels, even)) < 0.2
    assert float(query_loss(classes, -masks, labels, even)) > 5


@pytest.fixture
def tiny_world(monkeypatch):
    from vlmis_utils.datasets import streetworld

    class Scene:
        def __init__(self, index):
            self.index, self.scene_id = index, f"scene-{index}"

        def frame(self):
            from types import SimpleNamespace

            shape = (8, 16)
            return SimpleNamespace(
                image=np.full((*shape, 3), self.index, np.uint8),
                labels=np.full(shape, self.index % 3, np.uint8),
                safe=self.index % 2 == 0,
                safety_reason=f"reason {self.index}",
            )

    monkeypatch.setattr(streetworld, "WORLD_VERSION", "w0", raising=False)
    reads = []

    def dataset(split, seed, limit):
        class Scenes:
            def __getitem__(self, index):
                reads.append(index)
                if index == dataset.fail_at:
                    raise Stop
                return Scene(index)

        return Scenes()

    dataset.fail_at = None
    monkeypatch.setattr(training_data, "_dataset", dataset)
    return dataset, reads


def test_arrays_are_built_once_and_a_cut_build_goes_on(tiny_world, tmp_path):
    dataset, reads = tiny_world
    dataset.fail_at = 3
    with pytest.raises(Stop):
        load_training("train", 5, cache=tmp_path, workers=0)
    (folder,) = tmp_path.iterdir()
    with (folder / "rows.jsonl").open("a") as file:
        file.write('{"index": 3, "sce')  # as a kill leaves it
    dataset.fail_at = None
    reads.clear()
    data = load_training("train", 5, cache=tmp_path, workers=0)
    assert reads == [3, 4]
    load_training("train", 5, cache=tmp_path, workers=0)
    assert reads == [3, 4]
    assert folder.name.endswith("-train-0-5")
    assert data.images.shape == (5, 8, 16, 3) and data.images.dtype == np.uint8
    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert data.labels[4].tolist() == np.full((8, 16), 1).tolist()
    assert data.counts[4].tolist() == [0, 128] + [0] * 17 and data.counts.dtype == np.int64
    assert data.safe.tolist() == [True, False, True, False, True]
    fewer = load_training("train", 2, cache=tmp_path, workers=0)
    assert reads == [3, 4] and len(fewer.images) == len(fewer) == 2
    assert data.reasons[2] == "reason 2" and data.scene_ids[1] == "scene-1" and len(data) == 5
    more = load_training("train", 7, cache=tmp_path, workers=0)
    assert reads == [3, 4, 5, 6] and more.images[:, 0, 0, 0].tolist() == list(range(7))


def test_the_test_split_is_not_for_training(tmp_path):
    with pytest.raises(UserError, match="not for training"):
        load_training("test", 5, cache=tmp_path)
    with pytest.raises(UserError, match="use 1 or more"):
        load_training("train", 0, cache=tmp_path)


@pytest.mark.parametrize("name", ["deeplabv3plus", "segformer", "mask2former"])
def test_recipes_train_and_export_a_loadable_checkpoint(name, tmp_path, monkeypatch):
    from vlmis_utils.models.segmentation.loading import load_segmenter
    from vlmis_utils.protocol.models import LIBRARIES, ModelEntry

    recipe = dataclasses.replace(
        train_segmenters.RECIPES[name],
        phases=(Phase(0.5, 32, 64, (0.5, 1.0), 2), Phase(1.0, 64, 128, (1.0, 1.0), 2)),
    )
    monkeypatch.setitem(train_segmenters.RECIPES, name, recipe)
    data = _street()
    run = train_segmenters.train_segmenter(
        name,
        out=tmp_path / "checkpoints",
        work=tmp_path / "work",
        device="cpu",
        steps=2,
        data=(data, data),
        eval_every=1,
    )
    assert run.step == 2 and 0 <= run.metric <= 1
    assert (tmp_path / "logs" / f"{name}.csv").exists()
    folder = tmp_path / "checkpoints" / name
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}
    assert (folder / "model.safetensors").stat().st_mode & 0o777 == 0o644
    assert sum(path.stat().st_size for path in folder.iterdir()) < 6e6
    library = [key for key, kind in LIBRARIES.items() if kind == "segmenter"][
        ["deeplabv3plus", "segformer", "mask2former"].index(name)
    ]
    segmenter = load_segmenter(ModelEntry(name, "segmenter", library, str(folder)))
    images = torch.from_numpy(data.images[:2]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        scores = run.model.scores(images.float() / 255)
        full = nn.functional.interpolate(scores, images.shape[2:], mode="bilinear")
    agree = (segmenter.predict(images) == full.argmax(1)).float().mean()
    assert agree > 0.95  # float16 on disk; Mask2Former's own post-processing resamples once more


def test_an_average_lies_half_way_between_start_and_end(tmp_path):
    data, ends = _street(), {}
    recipe = dataclasses.replace(
        train_segmenters.RECIPES["segformer"], phases=(Phase(1.0, 32, 64, (1.0, 1.0), 2),), ema=0
    )
    given = {"device": "cpu", "steps": 2, "data": (data, data), "eval_every": 1, "recipe": recipe}
    for name, more in (
        ("start", {}),
        ("end", {"start": tmp_path / "start" / "segformer"}),
        ("mean", {"start": tmp_path / "start" / "segformer", "average": True}),
    ):
        work = tmp_path / f"work-{name}"
        train_segmenters.train_segmenter(
            "segformer", out=tmp_path / name, work=work, **given, **more
        )
        ends[name] = load_file(tmp_path / name / "segformer" / "model.safetensors")
    for key, value in ends["mean"].items():
        if value.is_floating_point():
            middle = (ends["start"][key].float() + ends["end"][key].float()) / 2
            assert torch.allclose(value.float(), middle, rtol=2e-3, atol=2e-3), key
    assert any((ends["start"][k] != ends["end"][k]).any() for k in ends["end"])


def test_command_line_misuse(capsys):
    assert weights.main(["--only", "segfomer"]) == 2
    assert "did you mean 'segformer'" in capsys.readouterr().err
    assert weights.main(["--average", "--start", "a", "--out", "a"]) == 2
    assert "--average needs --start" in capsys.readouterr().err
    assert weights.main(["--minutes", "0"]) == 2
    assert "--minutes 0.0 must be above 0" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        weights.main(["--steps", "x"])
    assert stop.value.code == 2


def test_command_line_reaches_the_recipe(monkeypatch, tmp_path, capsys):
    seen = {}

    def train(name, *, out, device, minutes, steps, scenes, seed):
        seen.update(name=name, minutes=minutes, scenes=scenes, out=str(out))

    monkeypatch.setattr(train_segmenters, "train_segmenter", train)
    threads = torch.get_num_threads()
    arguments = ["--only", "segformer", "--minutes", "2", "--out", str(tmp_path), "--threads", "1"]
    try:
        assert weights.main(arguments) == 0
    finally:
        torch.set_num_threads(threads)
    assert json.dumps(seen) == json.dumps(
        {"name": "segformer", "minutes": 2.0, "scenes": SCENES, "out": str(tmp_path)}
    )
    assert "segformer" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["deeplabv3plus", "segformer", "mask2former"])
def test_training_further_begins_with_the_checkpoint(name, tmp_path, monkeypatch):
    recipe = dataclasses.replace(
        train_segmenters.RECIPES[name], lr=0.0, phases=(Phase(1.0, 32, 64, (0.5, 1.0), 2),)
    )
    monkeypatch.setitem(train_segmenters.RECIPES, name, recipe)
    data = _street()
    settings = {"out": tmp_path / "checkpoints", "device": "cpu", "data": (data, data)}

    def train(seed: int, steps: int, **more: object):
        work = tmp_path / f"work-{seed}"
        train = train_segmenters.train_segmenter
        return train(name, work=work, seed=seed, steps=steps, **settings, **more).model

    first = train(0, 1)
    further, anew = train(1, 1, start=tmp_path / "checkpoints" / name), train(2, 1)
    for (key, one), other in zip(first.named_parameters(), further.parameters(), strict=True):
        torch.testing.assert_close(other, one, atol=1e-3, rtol=1e-3, msg=key)  # float16 between
    pairs = zip(first.parameters(), anew.parameters(), strict=True)
    assert any((one - other).abs().max() > 0.01 for one, other in pairs)

import numpy as np
import pytest
from PIL import Image

from tests.helpers.photographs import write_photographs
from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import pixel_counts
from vlmis_utils.protocol.ground_corridor import ground_rule
from vlmis_utils.training import weights
from vlmis_utils.training.data import scene_weights
from vlmis_utils.training.photographs import (
    digest_of,
    load_photographs,
    read_photographs,
    shrink,
)
from vlmis_utils.training.recipes import train_vlms

SIZE = (40, 80)


@pytest.fixture
def folder(tmp_path):
    return write_photographs(tmp_path, SIZE, train=4, val=2, test=1)


def test_photographs_become_training_data(folder):
    data = load_photographs(folder, "train", size=SIZE, cache=folder / "cache")
    assert (data.images.shape, data.labels.shape) == ((4, *SIZE, 3), (4, *SIZE))
    assert (data.images.dtype, data.labels.dtype) == (np.uint8, np.uint8)
    assert len(data) == len(set(data.scene_ids)) == 4
    for index in range(4):
        stored = np.asarray(Image.open(folder / "labels" / "train" / f"train{index}.png"))
        assert np.array_equal(data.labels[index], stored)
        assert np.array_equal(data.counts[index], pixel_counts(stored))
        assert (data.safe[index], data.reasons[index]) == ground_rule(stored)
    assert scene_weights(data).sum() == pytest.approx(1)


def test_arrays_are_written_once_and_again_when_a_file_or_the_size_changes(folder):
    cache = folder / "cache"
    for _ in range(2):
        load_photographs(folder, "val", size=SIZE, cache=cache)
    assert len(list(cache.rglob("images.npy"))) == 1
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(folder / "labels" / "val" / "val0.png")
    data = load_photographs(folder, "val", size=SIZE, cache=cache)
    assert not data.labels[0].any()
    assert load_photographs(folder, "val", size=(20, 40), cache=cache).labels.shape == (2, 20, 40)


def test_the_test_split_is_not_for_training(folder):
    with pytest.raises(UserError, match="not for training"):
        load_photographs(folder, "test")


def test_shrinking_keeps_means_and_invents_no_class():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (64, 128, 3), dtype=np.uint8)
    labels = rng.choice([0, 7, 255], size=(64, 128)).astype(np.uint8)
    small, marks = shrink(image, labels, (32, 64))
    means = image.reshape(32, 2, 64, 2, 3).mean((1, 3))
    assert np.abs(small - means).max() <= 1
    assert set(np.unique(marks)) <= {0, 7, 255}
    assert shrink(image, labels, (64, 128))[0] is image


def test_the_digest_follows_the_label_maps(folder):
    cache = folder / "cache"
    before, again = (
        digest_of(read_photographs(folder, "test", size=SIZE, cache=cache)) for _ in "ab"
    )
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(folder / "labels" / "test" / "test0.png")
    after = digest_of(read_photographs(folder, "test", size=SIZE, cache=cache))
    assert before == again != after


def test_the_command_line_trains_on_them(folder, monkeypatch, capsys):
    seen = {}

    def train(name, *, out, work, device, steps, data, start, recipe):
        seen.update(name=name, out=out, start=start, frames=[len(part) for part in data])
        assert recipe.workers == 2

    monkeypatch.setattr(train_vlms, "train_vlm", train)
    monkeypatch.setenv("VLMIS_CACHE", str(folder / "cache"))
    base = ["--data", "cityscapes", "--root", str(folder), "--only", "clip", "--steps", "1"]
    assert weights.main([*base, "--threads", "1", "--out", str(folder / "out")]) == 0
    assert seen == {
        "name": "clip", "out": folder / "out", "start": weights.CHECKPOINTS / "clip",
        "frames": [4, 2],
    }  # fmt: skip
    assert weights.main([*base[:2], "--root", str(folder / "none")]) == 2
    assert "none" in capsys.readouterr().err

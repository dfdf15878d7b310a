import numpy as np
import pytest
import torch

from tests.helpers.limited import Limited
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.checkpoints import folder_digest
from vlmis_utils.models.segmentation.deeplab import DeepLabConfig, DeepLabV3Plus
from vlmis_utils.models.segmentation.label_map import label_table
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.segmentation.segmenter import Segmenter
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.models import ModelEntry


def _entry(library, folder, name="tiny", kind="segmenter"):
    return ModelEntry(name, kind, library, str(folder))


@pytest.fixture(scope="module")
def deeplab(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("deeplab")
    config = DeepLabConfig(
        width_mult=0.1, aspp_channels=8, project_channels=4, decoder_channels=8, size=(32, 64)
    )
    DeepLabV3Plus(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def segformer(tmp_path_factory):
    from transformers import (
        SegformerConfig,
        SegformerForSemanticSegmentation,
        SegformerImageProcessor,
    )

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("segformer")
    names = dict(enumerate(reversed(TRAIN_CLASSES)))  # another order: matched by name
    config = SegformerConfig(
        id2label=names,
        label2id={name: index for index, name in names.items()},
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
    )
    SegformerForSemanticSegmentation(config).half().save_pretrained(folder)
    SegformerImageProcessor(size={"height": 32, "width": 64}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (3, 3, 48, 80), dtype=torch.uint8, generator=generator)


def test_shapes_types_and_batch_independence(deeplab, segformer, images):
    for library, folder in (("deeplabv3plus", deeplab), ("transformers-semantic", segformer)):
        segmenter = load_segmenter(_entry(library, folder))
        labels = segmenter.predict(images)
        assert labels.shape == (3, 48, 80) and labels.dtype == torch.uint8
        assert int(labels.max()) < 19
        alone = torch.cat([segmenter.predict(image[None]) for image in images])
        assert (alone == labels).float().mean() > 0.999
        assert segmenter.predict(images[:0]).shape == (0, 48, 80)
        assert torch.equal(load_segmenter(_entry(library, folder)).predict(images), labels)


def test_segformer_follows_the_library_and_matches_labels_by_name(segformer, images):
    from transformers import AutoImageProcessor, AutoModelForSemanticSegmentation

    model = AutoModelForSemanticSegmentation.from_pretrained(segformer, dtype=torch.float32).eval()
    processor = AutoImageProcessor.from_pretrained(segformer)
    with torch.inference_mode():
        outputs = model(**processor(images=list(images), return_tensors="pt"))
    maps = processor.post_process_semantic_segmentation(outputs, [(48, 80)] * 3)
    expected = 18 - torch.stack(list(maps))
    labels = load_segmenter(_entry("transformers-semantic", segformer)).predict(images)
    assert (labels == expected).float().mean() > 0.999


def test_digest_follows_the_weights_and_the_configuration(deeplab, tmp_path):
    entry = _entry("deeplabv3plus", tmp_path)
    model = DeepLabV3Plus.from_pretrained(deeplab)
    model.save_pretrained(tmp_path)
    first = load_segmenter(entry).digest
    assert first == folder_digest(deeplab) and len(first) == 16
    (tmp_path / "notes.txt").write_text("not part of the checkpoint")
    assert folder_digest(tmp_path) == first
    with torch.no_grad():
        model.classifier.classifier[-1].bias[0] += 1
    model.save_pretrained(tmp_path)
    second = load_segmenter(entry).digest
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace("0.485", "0.5"))
    assert len({first, second, load_segmenter(entry).digest}) == 3


def test_label_table():
    names = ["Road", "traffic_light", *TRAIN_CLASSES[1:6], *TRAIN_CLASSES[7:]]
    table = label_table("m", names)
    assert table.dtype == np.uint8 and table[:3].tolist() == [0, 6, 1]
    assert sorted(table.tolist()) == list(range(19))
    with pytest.raises(UserError, match="unknown: plane; missing: bicycle"):
        label_table("m", [*TRAIN_CLASSES[:18], "plane"])


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("can't allocate memory: you tried"),
    ],
)
def test_a_batch_that_does_not_fit_is_halved(images, error):
    scorer = Limited(1, error)
    segmenter = Segmenter("m", scorer, "", "cpu")
    assert torch.equal(segmenter.predict(images), images[:, 0] % 19)
    assert scorer.sizes == [3, 2, 1, 1, 1]
    never = Segmenter("m", Limited(0, error), "", "cpu")
    with pytest.raises(RunError, match="m: one 48x80 image does not fit in memory"):
        never.predict(images)


def test_other_failures_are_not_swallowed(images):
    scorer = Limited(0, RuntimeError("shapes differ"))
    segmenter = Segmenter("m", scorer, "", "cpu")
    with pytest.raises(RuntimeError, match="shapes differ"):
        segmenter.predict(images)
    assert scorer.sizes == [3]


def test_misuse(deeplab, segformer, images, tmp_path):
    with pytest.raises(UserError, match="'tiny' is a vlm, not a segmenter"):
        load_segmenter(_entry("open_clip", deeplab, kind="vlm"))
    with pytest.raises(UserError, match="did you mean 'deeplabv3plus'"):
        load_segmenter(_entry("deeplabv3", deeplab))
    with pytest.raises(UserError, match="no checkpoint at .*absent"):
        load_segmenter(_entry("deeplabv3plus", tmp_path / "absent"))
    missing = "vlmis_utils/training/checkpoints/absent"
    with pytest.raises(UserError, match="run `make weights`"):
        load_segmenter(_entry("transformers-semantic", missing))
    with pytest.raises(UserError, match="does not load"):
        load_segmenter(_entry("transformers-semantic", tmp_path))
    segmenter = load_segmenter(_entry("deeplabv3plus", deeplab))
    with pytest.raises(UserError, match="images must be uint8"):
        segmenter.predict(images.float())
    with pytest.raises(UserError, match="images must be uint8"):
        segmenter.predict(images[0])


def test_a_truncated_checkpoint_is_named(segformer, tmp_path):
    for file in segformer.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError, match="does not load"):
        load_segmenter(_entry("transformers-semantic", tmp_path))


def test_another_label_set_is_refused(segformer, tmp_path):
    for file in segformer.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"bicycle"', '"zebra"'))
    with pytest.raises(UserError, match="unknown: zebra; missing: bicycle"):
        load_segmenter(_entry("transformers-semantic", tmp_path))

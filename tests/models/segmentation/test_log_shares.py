"""Log probabilities that go with label maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax

from tests.helpers.limited import Limited
from tests.helpers.segmenter_checkpoints import write_mask2former, write_segformer
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.segmentation.log_shares import log_shares
from vlmis_utils.models.segmentation.segmenter import Segmenter, WithScores
from vlmis_utils.protocol.models import ModelEntry

GRID = (12, 20)


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (3, 3, 48, 80), dtype=torch.uint8, generator=generator)


def test_labels_stay_and_probabilities_are_some(tmp_path: Path) -> None:
    written = {
        "transformers-semantic": write_segformer(tmp_path / "s"),
        "transformers-universal": write_mask2former(tmp_path / "m"),
    }
    for library, folder in written.items():
        segmenter = load_segmenter(ModelEntry("m", "segmenter", library, str(folder)))
        assert isinstance(segmenter, WithScores)
        labels, shares = segmenter.predict_with_scores(images(), GRID)
        assert torch.equal(labels, segmenter.predict(images()))
        assert shares is not None and shares.shape == (3, 19, *GRID)
        assert shares.dtype == torch.float32
        assert torch.allclose(shares.exp().sum(dim=1), torch.ones(3, *GRID), atol=1e-4)
        # at the picture's own size the greatest probability is the label
        _, fine = segmenter.predict_with_scores(images(), (48, 80))
        assert (fine.argmax(dim=1) == labels).float().mean() > 0.99


def test_logits_become_scipys_log_softmax_in_the_order_of_the_train_classes() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn((2, 19, 3, 4), generator=generator)
    order = torch.randperm(19, generator=generator)
    own = log_shares(scores, order.byte(), logits=True)
    expected = log_softmax(scores.double().numpy(), axis=1)
    np.testing.assert_allclose(own[:, order].numpy(), expected, atol=1e-5)


def test_labels_of_one_class_are_added_up() -> None:
    scores = torch.tensor([1.0, 2.0, 5.0]).reshape(1, 3, 1, 1)
    own = log_shares(scores, torch.tensor([3, 3, 0], dtype=torch.uint8), logits=False).exp()
    assert torch.allclose(own[0, [3, 0], 0, 0], torch.tensor([3 / 8, 5 / 8]))
    assert own[0, 1, 0, 0] < 1e-11


def test_a_model_of_labels_alone_gives_none() -> None:
    scorer = Limited(1, RuntimeError("out of memory"))
    labels, shares = Segmenter("m", scorer, "", "cpu").predict_with_scores(images(), GRID)
    assert shares is None and labels.shape == (3, 48, 80)

"""Logits are adjusted by the class weights, for the networks that have a logit a class."""

from __future__ import annotations

import pytest
import torch

from vlmis_utils.training.nets.segmenter_nets import BUILDERS

SIZE = (64, 128)


@pytest.mark.parametrize("name", ["deeplabv3plus", "segformer"])
def test_scores_fall_by_the_logarithm_of_the_weights(name: str) -> None:
    torch.manual_seed(0)
    weights = torch.linspace(0.5, 4, 19)
    network = BUILDERS[name](SIZE, weights).eval()
    images = torch.rand(1, 3, *SIZE)
    with torch.inference_mode():
        before = network.scores(images)
        network.adjust(0.5)
        fall = before - network.scores(images)
    wanted = (0.5 * weights.log()).view(1, -1, 1, 1).expand_as(fall)
    torch.testing.assert_close(fall, wanted, atol=1e-4, rtol=1e-4)


def test_what_a_weighted_loss_learns_becomes_the_shares_of_the_classes() -> None:
    shares, weights = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.5, 1.5, 3.0])
    logits = torch.zeros(3, requires_grad=True)
    descent = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-9)

    def loss() -> torch.Tensor:
        descent.zero_grad()
        value = -(shares * weights * logits.log_softmax(0)).sum()
        value.backward()
        return value

    descent.step(loss)
    adjusted = (logits.detach() - weights.log()).softmax(0)
    torch.testing.assert_close(adjusted, shares, atol=1e-3, rtol=1e-3)
    assert (logits.detach().softmax(0) - shares).abs().max() > 0.1


def test_queries_have_no_logit_a_class() -> None:
    with pytest.raises(RuntimeError, match="Mask2Former.*no layer with a logit a class"):
        BUILDERS["mask2former"](SIZE, torch.ones(19)).adjust(0.5)

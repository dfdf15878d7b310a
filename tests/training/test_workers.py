import numpy as np
import pytest
import torch
from torch import nn

from vlmis_utils.training.loop import fit
from vlmis_utils.training.workers import Workers


def _net():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))


def test_gradients_are_those_of_the_mean_over_the_batches():
    parts = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(1))
    alone, shared = _net(), _net()
    together = Workers(shared, 3)
    value = together.gradients(lambda model, number: model(parts[number]).square().mean())
    whole = alone(parts.flatten(0, 1)).square().mean()
    whole.backward()
    together.close()
    torch.testing.assert_close(value, whole.detach())
    for one, other in zip(alone.parameters(), shared.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_replicas_follow_the_optimiser():
    net = _net()
    together = Workers(net, 2)
    optimiser = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(3):
        together.gradients(lambda model, _: model(torch.ones(2, 4)).square().mean())
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    for one, other in zip(*(r.parameters() for r in together.replicas), strict=True):
        assert torch.equal(one, other)
    together.close()


def test_an_error_in_a_worker_is_raised():
    def fails(_, number):
        if number:
            raise ValueError("no batch")
        return torch.zeros((), requires_grad=True) * 1

    with pytest.raises(ValueError, match="no batch"):
        Workers(_net(), 2).gradients(fails)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("mixed", [False, True])
def test_a_fit_of_several_workers_learns(tmp_path, workers, mixed):
    net = _net()
    seen = []

    def batch(rng, _):
        seen.append(rng.normal())
        return torch.from_numpy(rng.normal(size=(16, 4)).astype(np.float32))

    def loss(model, x):
        return (model(x)[:, 0].float() - x.sum(1)).square().mean()

    test = batch(np.random.default_rng(9), 0)
    before = float(loss(net, test).detach())
    run = fit(
        "toy", net, batch, loss, steps=150, lr=0.03, weight_decay=0.0, warmup=1, out=tmp_path,
        seed=1, save_every=1000, eval_every=1000, evaluate=lambda m: -float(loss(m, test).detach()),
        ema=0.9, workers=workers, mixed=mixed,
    )  # fmt: skip
    assert -run.metric < 0.3 * before
    assert len(set(seen)) == 1 + 150 * workers  # every worker draws batches of its own

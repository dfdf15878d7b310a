"""Threads that compute the gradients of several batches at once, for `training.loop.fit`.

Where cores are shared with other programs, two threads of one batch each see about twice as many
images in the same time as one batch split over two threads in every operation: there each waits
for the other hundreds of times a step, here once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

__all__ = ["Workers"]


class Workers:
    """A model and copies that share its parameters, each with gradients and buffers of its own.

    Args:
        model: the first of the replicas; what is trained, and whose buffers count.
        count: replicas, at least 1.
    """

    def __init__(self, model: nn.Module, count: int) -> None:
        self.replicas = [model, *(copy.deepcopy(model) for _ in range(count - 1))]
        for replica in self.replicas[1:]:
            for mine, theirs in zip(replica.parameters(), model.parameters(), strict=True):
                mine.data = theirs.data
        self._pool = ThreadPoolExecutor(max(count - 1, 1))

    def gradients(self, loss: Callable[[nn.Module, int], Tensor]) -> Tensor:
        """Leave the gradient of the mean loss in the model, and return that loss, detached.

        Args:
            loss: (replica in training mode, its number from 0) -> scalar tensor, of a batch of its
                own. Where the sum is not finite, gradients are to be thrown away.
        """

        def one(number: int) -> Tensor:
            replica = self.replicas[number].train()
            value = loss(replica, number) / len(self.replicas)
            if bool(torch.isfinite(value)):
                value.backward()
            return value.detach()

        others = [self._pool.submit(one, number) for number in range(1, len(self.replicas))]
        total = one(0)
        for other in others:
            total = total + other.result()
        for mine, *theirs in zip(*(r.parameters() for r in self.replicas), strict=True):
            for other in theirs:
                if other.grad is not None:
                    mine.grad = other.grad if mine.grad is None else mine.grad.add_(other.grad)
                    other.grad = None
        return total

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

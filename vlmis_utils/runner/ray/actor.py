"""What runs on a node. Imports what reads the environment only once that is set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vlmis_utils.core.errors import UserError

if TYPE_CHECKING:
    from vlmis_utils.runner.outcome import Outcome
    from vlmis_utils.runner.tasks import Task

__all__ = ["Worker", "environment", "facts"]

_PREFIXES = ("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TOKENIZERS_", "CITYSCAPES_", "VLMIS_")
_SECRET = ("TOKEN", "KEY", "SECRET", "PASSWORD")


class Worker:
    """An actor: opens scenes, loads a model, computes tasks.

    Args:
        folder: where the run was started; paths are relative to it if the node has it too.
        variables: of the environment of the run, see `environment`.
    """

    def __init__(self, folder: str, variables: Mapping[str, str]) -> None:
        os.environ.update(variables)
        if Path(folder).is_dir():
            os.chdir(folder)

    def facts(self) -> dict[str, str]:
        """Return the address of the node, and what must be the same on all nodes, see `facts`."""
        import ray

        from vlmis_utils.core.allocator import keep_freed_memory

        keep_freed_memory()
        return {"node": ray.util.get_node_ip_address(), "process": str(os.getpid())} | facts()

    def compute(self, task: Task) -> Outcome:
        """Return the rows of a task, or what of it failed; see `runner.outcome.attempt`.

        Raises:
            UserError: the model here is another than the study's, or something is missing.
        """
        from vlmis_utils.runner.outcome import Failure, attempt

        outcome = attempt(task)
        if isinstance(outcome, Failure) or not task.digest:
            return outcome
        if str(task.model.digest) != task.digest:
            raise UserError(
                f"model {task.entry.name} is not the same here as where the study runs: give all "
                "nodes the same checkpoints, best on a shared file system"
            )
        return outcome


def facts() -> dict[str, str]:
    """Return what determines results beside a task: digest of the package's code, versions."""
    from vlmis_utils.core import provenance

    return {"vlmis": provenance.source_digest()} | provenance.versions()


def environment() -> dict[str, str]:
    """Return the variables of this process that a model or dataset may look at.

    Nothing secret is among them, as Ray keeps what an actor was started with: a token for gated
    models belongs into the environment of the nodes.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_PREFIXES) and not any(word in name for word in _SECRET)
    }

"""Which of two implementations degrades: Kornia on any device, compiled loops on a CPU.

Their bytes are the same (`tests/corruptions/test_numba_backend.py`), so the choice is one of speed
and is no part of what determines a result.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from types import ModuleType

import torch

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.corruptions import kornia_backend
from vlmis_utils.protocol.conditions import CORRUPTION_BACKENDS

__all__ = ["backend_module", "resolve_backend"]


def resolve_backend(name: str = "auto", device: str | torch.device = "cpu") -> str:
    """Return the backend, ``kornia`` or ``compiled``, that a name means where models run.

    Args:
        name: of `CORRUPTION_BACKENDS`; ``auto`` is ``kornia`` on an accelerator, and ``compiled``
            on a CPU where numba works.
        device: where the models run.

    Raises:
        UserError: no such backend, or ``compiled`` where numba does not work.

    >>> resolve_backend("kornia", "cpu"), resolve_backend("auto", "cuda")
    ('kornia', 'kornia')
    """
    if name not in CORRUPTION_BACKENDS:
        found = closest(name, CORRUPTION_BACKENDS)
        raise UserError(f"unknown corruption_backend {name!r}{found}")
    if name == "auto":
        return "compiled" if torch.device(device).type == "cpu" and _compiled() else "kornia"
    if name == "compiled":
        try:
            from vlmis_utils.corruptions import numba_backend  # noqa: F401
        except Exception as error:
            raise UserError(
                f"numba cannot compile here ({_reason(error)}): set corruption_backend to auto or "
                "kornia"
            ) from None
    return name


def backend_module(name: str, device: torch.device) -> ModuleType:
    """Return the module that degrades images that lie on a device.

    Raises:
        UserError: as `resolve_backend`, or ``compiled`` for images that lie elsewhere than on a
            CPU.
    """
    if resolve_backend(name, device) == "kornia":
        return kornia_backend
    if device.type != "cpu":
        raise UserError(
            f"the compiled corruptions run on a CPU only, the images lie on {device}: move them, "
            "or set backend to auto or kornia"
        )
    from vlmis_utils.corruptions import numba_backend

    return numba_backend


@lru_cache(maxsize=1)
def _compiled() -> bool:
    """Say whether the compiled loops can be imported; found out once in a process, on first use."""
    try:
        from vlmis_utils.corruptions import numba_backend  # noqa: F401
    except Exception as error:
        warnings.warn(
            f"numba cannot compile here, so images are degraded by Kornia, with the same result "
            f"but more slowly: {_reason(error)}",
            RuntimeWarning,
            stacklevel=5,
        )
        return False
    return True


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

"""Which torch device a name means on this machine."""

from __future__ import annotations

from vlmis_utils.core.errors import UserError

__all__ = ["resolve_device"]


def resolve_device(name: str = "auto") -> str:
    """Return the torch device that ``auto``, ``cpu``, ``cuda`` or ``cuda:<n>`` means here.

    ``auto`` is the first GPU, and the CPU where there is none.

    Raises:
        UserError: no such device.

    >>> resolve_device("cpu")
    'cpu'
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"unknown device {name!r}: use auto, cpu, cuda or cuda:<n>") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"device {name!r} is not on this machine: use 'device: auto' or 'cpu'")
    return name

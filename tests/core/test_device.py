"""What a device's name means here."""

from __future__ import annotations

import pytest
import torch

from vlmis_utils.core.device import resolve_device
from vlmis_utils.core.errors import UserError


@pytest.mark.parametrize(("there", "auto"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, there: bool, auto: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2 * there)
    assert resolve_device("auto") == resolve_device() == auto
    assert resolve_device("cpu") == "cpu"
    if there:
        assert resolve_device("cuda:1") == "cuda:1"


@pytest.mark.parametrize("name", ["gpu", "cuda:99"])
def test_an_unknown_device_is_named(name: str) -> None:
    with pytest.raises(UserError, match=name):
        resolve_device(name)

"""Which backend a name means, and that the choice changes no byte."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
import torch

from vlmis_utils.core.errors import UserError
from vlmis_utils.corruptions import backends, kornia_backend, numba_backend
from vlmis_utils.corruptions.backends import backend_module, resolve_backend
from vlmis_utils.corruptions.corrupt import corrupt, degrade
from vlmis_utils.protocol.conditions import BLANK, CONDITIONS, CORRUPTION_BACKENDS

CPU = torch.device("cpu")


@pytest.fixture
def images() -> torch.Tensor:
    rng = np.random.default_rng(2)
    return torch.from_numpy(rng.integers(0, 256, (2, 3, 24, 40), dtype=np.uint8))


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch):
    """Make the compiled loops impossible to import, as where numba does not work."""
    monkeypatch.delattr("vlmis_utils.corruptions.numba_backend")
    monkeypatch.setitem(sys.modules, "vlmis_utils.corruptions.numba_backend", None)
    backends._compiled.cache_clear()
    yield
    backends._compiled.cache_clear()


def test_auto_is_compiled_on_a_cpu_and_kornia_elsewhere() -> None:
    assert resolve_backend("auto", "cpu") == resolve_backend("compiled", "cpu") == "compiled"
    for device in ("cuda", "cuda:1", "mps", "meta"):
        assert resolve_backend("auto", device) == "kornia"
        assert resolve_backend("compiled", device) == "compiled"  # on the CPU, before they travel
    assert backend_module("auto", CPU) is numba_backend
    assert backend_module("auto", torch.device("meta")) is kornia_backend


@pytest.mark.parametrize("backend", CORRUPTION_BACKENDS)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_no_byte_depends_on_the_backend(images: torch.Tensor, condition: str, backend: str) -> None:
    expected = corrupt(images, condition, scene_ids=["a", "b"])
    options = {"scene_ids": ["a", "b"], "backend": backend}
    assert torch.equal(corrupt(images, condition, **options), expected)
    assert torch.equal(degrade(images, condition, **options), expected)


def test_the_control_image_is_grey_whatever_was_there(images: torch.Tensor) -> None:
    assert degrade(images, BLANK, scene_ids=["a", "b"]).unique().tolist() == [128]


@pytest.mark.parametrize(("backend", "first"), [("kornia", "move"), ("compiled", "corrupt")])
def test_a_picture_travels_once(
    images: torch.Tensor, monkeypatch: pytest.MonkeyPatch, backend: str, first: str
) -> None:
    """Kornia degrades where the models run, the compiled loops before the picture goes there."""
    seen: list[str] = []

    class Watched(torch.Tensor):
        def to(self, *args: object, **options: object) -> torch.Tensor:
            seen.append(f"move to {args[0]}")
            return self

    def here(given: torch.Tensor, condition: str, **options: object) -> torch.Tensor:
        seen.append(f"corrupt by {options['backend']}")
        return given

    monkeypatch.setattr("vlmis_utils.corruptions.corrupt.corrupt", here)
    degrade(
        images.as_subclass(Watched), "MB1", scene_ids=["a", "b"], device="cuda", backend=backend
    )
    assert seen[0].startswith(first) and f"corrupt by {backend}" in seen
    assert seen[-1] == "move to cuda"


def test_a_wrong_name_is_named(images: torch.Tensor) -> None:
    with pytest.raises(UserError, match="did you mean 'kornia'"):
        corrupt(images, "MB1", scene_ids=["a", "b"], backend="korni")


def test_compiled_loops_refuse_images_that_lie_elsewhere() -> None:
    with pytest.raises(UserError, match="run on a CPU only, the images lie on meta"):
        backend_module("compiled", torch.device("meta"))


def test_without_numba_auto_is_kornia_and_compiled_is_refused(
    images: torch.Tensor, without_numba: None
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for condition in CONDITIONS:
            got = corrupt(images, condition, scene_ids=["a", "b"])
            expected = corrupt(images, condition, scene_ids=["a", "b"], backend="kornia")
            assert torch.equal(got, expected)
    mine = [w for w in caught if "more slowly" in str(w.message)]
    assert len(mine) == 1 and "\n" not in str(mine[0].message)
    with pytest.raises(UserError, match="numba cannot compile here.*set corruption_backend"):
        resolve_backend("compiled", "cpu")

"""What a run opens once, in each of its processes: scenes, records, models, replies, device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from PIL import Image

from vlmis_utils.core.device import resolve_device
from vlmis_utils.corruptions.backends import resolve_backend
from vlmis_utils.datasets.cache import SceneCache
from vlmis_utils.datasets.registry import FileScene, Scene, open_scenes
from vlmis_utils.datasets.streetworld import HEIGHT, WIDTH
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.models.vlm.response_cache import Replies
from vlmis_utils.protocol.models import ModelEntry, load_catalogue
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.store import Store

__all__ = ["Loaders", "RunContext", "context_of", "hosted", "image_sizes", "open_context"]

_DECODED = 512 * 2**20  # bytes of decoded scenes that a process keeps


@dataclass(frozen=True)
class Loaders:
    """How a catalogue entry becomes a model; tests put their own here."""

    segmenter: Callable = load_segmenter
    vlm: Callable = load_vlm

    def of(self, entry: ModelEntry) -> Callable:
        """Return what loads an entry of the catalogue."""
        return self.segmenter if entry.kind == "segmenter" else self.vlm


class RunContext:
    """A study opened on this machine. Each part is opened when it is first asked for.

    Attributes:
        study, loaders: as given.
        device: torch device of the models, resolved.
        decoded: gives a scene's image and label map, see `datasets.cache.SceneCache`: every
            condition and every model wants them.
    """

    def __init__(self, study: Study, loaders: Loaders, device: str) -> None:
        self.study, self.loaders, self.device = study, loaders, device
        self.decoded = SceneCache(_DECODED)
        self._model: tuple[ModelEntry | None, object] = (None, None)

    @cached_property
    def scenes(self) -> Sequence[Scene]:
        """The scenes of the study, in the order of their split."""
        return open_scenes(self.study)

    @cached_property
    def store(self) -> Store:
        """The record store."""
        return Store(self.study.store)

    @cached_property
    def catalogue(self) -> dict[str, ModelEntry]:
        """The model catalogue."""
        return load_catalogue(self.study.models)

    @cached_property
    def backend(self) -> str:
        """What degrades images for `device`: ``kornia`` or ``compiled``."""
        return resolve_backend(self.study.corruption_backend, self.device)

    @cached_property
    def replies(self) -> Replies:
        """What hosted models have replied in this study."""
        study = self.study
        return Replies(study.folder / "replies.jsonl", study.max_requests, study.max_cost)

    @cached_property
    def sizes(self) -> list[tuple[int, int]]:
        """The sizes that the images have, see `image_sizes`."""
        return image_sizes(self.scenes)

    def model(self, entry: ModelEntry) -> object:
        """Return an entry's model on `device`; the last one is kept, one at a time."""
        if self._model[0] != entry:
            self.release_model()
            self._model = (entry, self.loaders.of(entry)(entry, device=self.device))
        return self._model[1]

    def release_model(self) -> None:
        """Give back the memory of the model that is kept."""
        self._model = (None, None)


def image_sizes(scenes: Iterable[Scene]) -> list[tuple[int, int]]:
    """Return the sizes of a dataset's images, (height, width), without reading pixels.

    Files that do not open are left out: they are named when their scene is recorded.
    """
    found = set()
    for scene in scenes:
        if not isinstance(scene, FileScene):
            return [(HEIGHT, WIDTH)]
        if scene.size is not None:
            return [scene.size]
        try:
            with Image.open(scene.image_path) as picture:
                found.add((picture.height, picture.width))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            continue
    return sorted(found)


def hosted(entry: object | None) -> bool:
    """Say whether a model runs elsewhere and is asked over the network."""
    return getattr(entry, "library", "") == "openai"


def open_context(study: Study, loaders: Loaders, device: str | None = None) -> RunContext:
    """Open a study anew, for this process and what it computes from now on.

    Raises:
        UserError: no such device.
    """
    context_of.cache_clear()
    return context_of(study, loaders, resolve_device(study.device) if device is None else device)


@lru_cache(maxsize=1)
def context_of(study: Study, loaders: Loaders, device: str) -> RunContext:
    """Return the context that is open in this process; a worker process opens its own here."""
    return RunContext(study, loaders, device)

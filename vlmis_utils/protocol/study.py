"""A study: one flat parameter file, checked key by key before anything runs.

Every key of `params/*.yaml` is a field of `Study`, or a parameter that a page of the book declares
(such a key is kept in `Study.pages`). The same file works as it is with ``papermill -f``.
`protocol.parameters` reads such files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from vlmis_utils.core.errors import UserError
from vlmis_utils.core.storage import Place, is_url, place
from vlmis_utils.core.validation import (
    Flag,
    Number,
    Text,
    Whole,
    known_as,
    listed,
    must,
    unrepeated,
)
from vlmis_utils.protocol import classes
from vlmis_utils.protocol.conditions import (
    BLUR_SCALES,
    CONDITIONS,
    CORRUPTION_BACKENDS,
    NOISE_SIGMA,
)
from vlmis_utils.protocol.datasets import DATASETS, SPLITS
from vlmis_utils.protocol.ground_corridor import Camera, camera_of
from vlmis_utils.protocol.timing import BLURS, OCCLUDERS, ONSETS, Timing

__all__ = ["ENGINES", "KEYS", "PARSERS", "READING", "Study", "flat"]

PARSERS: tuple[str, ...] = ("scoped", "keyword")
ENGINES: tuple[str, ...] = ("local", "ray")

# How answers are read and averaged: changing one of these runs no model.
READING: tuple[str, ...] = (
    "top_k", "parser", "count_hedged", "critical_classes", "min_share", "epsilon", "bootstrap",
)  # fmt: skip


def _critical(name: str) -> str:
    classes.check_critical([name])
    return name


def _readable(root: str | None) -> str | None:
    try:
        place(root or "")
    except UserError as error:
        raise ValueError(f"records_root: {error}") from None
    return root


_Count = Annotated[Whole, Field(ge=0)]
_Positive = Annotated[Whole, Field(ge=1)]
_Optional = Annotated[Text | None, must(lambda v: "\0" not in (v or ""), "a path")]
_Name = must(
    lambda v: v.isprintable() and not v.startswith(".") and v and not {"/", "\\"} & set(v),
    "a plain folder name",
)
_Models = Annotated[tuple[Text, ...], listed, unrepeated]
_Noise = Annotated[Number, Field(ge=0)]
_OBJECTS = len(classes.OBJECT_CLASSES)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Study:
    """All that determines a study. Defaults are those of the embedded study.

    Attributes:
        study: name; everything generated lies in ``<build_root>/<study>/``.
        dataset: streetworld, cityscapes, camvid or folder.
        data_root: folder of a dataset that is not embedded; None for streetworld.
        class_map: what the label values of a folder mean, see `datasets.folder`; None
            for the other datasets.
        split: train, val or test.
        image_size: rows and columns to which frames and label maps on disk are brought before
            anything else; None leaves them as they are. StreetWorld has one size.
        camera_focal, camera_height, camera_pitch: of the camera that took the photographs, as of
            `protocol.ground_corridor.Camera`, for their safety label; None: the one that the
            dataset's makers publish, and where there is none the rule that needs no camera.
        scenes: how many scenes, from the start of the split; of a study of sequences how many
            sequences.
        frames: of a sequence, at most so many from its start; 0 for single pictures.
        rate: frames of a sequence in a second.
        onset, onset_time: none (degraded from the first frame on), step (at once, at that many
            seconds) or ramp (from then on, through the lower severities); see `protocol.timing`.
        blur: fixed (Table 1) or speed (as long as the ego car is fast; StreetWorld knows it).
        occluder: lens (fixed for a sequence) or moving (through the picture).
        smoothing: weight of the newest frame in the running mean of a segmenter's scores.
        sequences: parameter file of a study of sequences that runs along with this one, for the
            pages about time; None for none.
        seed: of the scenes (streetworld) and of the corruptions.
        conditions: which to run; ``clean`` is always needed, as all changes are taken from it.
        blur_scale: absolute (the paper's kernels in pixels) or relative (the same angle of view).
        corruption_backend: what degrades, auto, kornia or compiled: the same bytes, so no result
            depends on it.
        noise_sigma: low-light noise for severities 1 to 3, standard deviation in [0, 1] units.
        segmenters, vlms: names in the model catalogue.
        mirrored: how many of the segmenters, from the first, also see each picture mirrored and
            moved by one pixel: where they change their mind is a warning that needs no truth.
        top_k: classes that a contrastive model mentions (Section 5.4).
        epsilon: in the denominator of HR (Section 3.3).
        min_share: share of the image a class needs to count as present.
        critical_classes: the safety-critical classes of COR (Section 3.4), of those that an
            answer can mention and the dataset annotates; of the default, those that it does.
        parser: scoped (negation and hedging understood) or keyword (the paper's plain rule).
        count_hedged: whether "possibly a truck" mentions a truck.
        bootstrap: resamples of the scenes for every interval.
        batch_size: images a model sees at once.
        shard_size: scenes in one unit of work, the most that an interruption can lose.
        engine: local (this machine) or ray (a Ray cluster, see `runner.ray.executor`).
        workers: processes for the models; 0 means all cores on a CPU and one on a GPU, and with
            ray all cores or all GPUs of the cluster.
        device: auto, cpu, cuda or cuda:<n>.
        build_root: folder for everything generated.
        records_root: folder or URL (s3://bucket/prefix) for shards and tables; None: build_root.
        models: the model catalogue.
        max_requests: most requests to hosted models, all of the study together; 0: no limit.
        max_cost: most US dollars for hosted models, likewise; 0: no limit.
        pages: parameters of single pages, by key; checked by `report.pages`.
    """

    study: Annotated[Text, _Name] = "streetworld"
    dataset: Annotated[Text, known_as("dataset", DATASETS)] = "streetworld"
    data_root: _Optional = None
    class_map: _Optional = None
    split: Annotated[Text, known_as("split", SPLITS)] = "test"
    image_size: Annotated[
        tuple[_Positive, ...] | None,
        listed,
        must(lambda v: v is None or len(v) == 2, "null, or height and width in pixels"),
    ] = None
    camera_focal: Annotated[Number, Field(gt=0)] | None = None
    camera_height: Annotated[Number, Field(gt=0)] | None = None
    camera_pitch: Annotated[Number, Field(gt=-0.5, lt=0.5)] | None = None
    scenes: _Positive = 100
    frames: _Count = 0
    rate: Annotated[Number, Field(gt=0)] = 4.0
    onset: Annotated[Text, known_as("onset", ONSETS)] = "none"
    onset_time: Annotated[Number, Field(ge=0)] = 1.0
    blur: Annotated[Text, known_as("blur", BLURS)] = "fixed"
    occluder: Annotated[Text, known_as("occluder", OCCLUDERS)] = "lens"
    smoothing: Annotated[Number, Field(gt=0, le=1)] = 0.5
    sequences: _Optional = None
    seed: _Count = 0
    conditions: Annotated[
        tuple[Annotated[Text, known_as("condition", CONDITIONS)], ...],
        listed,
        must(lambda v: "clean" in v, "a list with 'clean', as changes are taken from it"),
        unrepeated,
    ] = CONDITIONS
    blur_scale: Annotated[Text, known_as("blur_scale", BLUR_SCALES)] = "absolute"
    corruption_backend: Annotated[Text, known_as("corruption_backend", CORRUPTION_BACKENDS)] = (
        "auto"
    )
    noise_sigma: Annotated[
        tuple[_Noise, ...],
        listed,
        must(lambda v: len(v) == 3, "three numbers, for severities 1 to 3"),
    ] = NOISE_SIGMA
    segmenters: _Models = ("deeplabv3plus", "segformer", "mask2former")
    vlms: _Models = ("clip", "siglip", "qwen2-vl")
    mirrored: _Count = 1
    top_k: Annotated[
        Whole,
        must(lambda v: 1 <= v <= _OBJECTS, f"from 1 to {_OBJECTS}, the number of object classes"),
    ] = 4
    epsilon: Annotated[Number, Field(gt=0)] = 1e-6
    min_share: Annotated[
        Number, must(lambda v: 0 <= v < 1, "a share of the image from 0 to below 1")
    ] = classes.MIN_SHARE
    critical_classes: Annotated[
        tuple[Annotated[Text, AfterValidator(_critical)], ...], listed, unrepeated
    ] = classes.CRITICAL_CLASSES
    parser: Annotated[Text, known_as("parser", PARSERS)] = "scoped"
    count_hedged: Flag = False
    bootstrap: Annotated[Whole, Field(ge=10)] = 2000
    batch_size: _Positive = 8
    shard_size: _Positive = 25
    engine: Annotated[Text, known_as("engine", ENGINES)] = "local"
    workers: _Count = 0
    device: Text = "auto"
    build_root: Annotated[
        Text,
        must(
            lambda v: v.isprintable() and not is_url(v),
            "a folder; 'records_root' is what takes a URL",
        ),
    ] = "build"
    records_root: Annotated[
        Text | None,
        must(lambda v: (v or "").isprintable(), "a path or a URL"),
        AfterValidator(_readable),
    ] = None
    models: Text = "params/models.yaml"
    max_requests: _Count = 0
    max_cost: Annotated[Number, Field(ge=0)] = 0.0
    pages: Mapping[str, object] = dataclasses.field(default_factory=dict, hash=False)

    @property
    def camera(self) -> Camera | None:
        """The camera that took the photographs; None where it is not known."""
        return camera_of(self.dataset, self.camera_focal, self.camera_height, self.camera_pitch)

    @property
    def images(self) -> int:
        """How many clean images it asks for: its scenes, or the frames of its sequences."""
        return self.scenes * max(1, self.frames)

    @property
    def timing(self) -> Timing:
        """How conditions hold over a sequence."""
        return Timing(self.onset, self.onset_time, self.blur, self.occluder)

    @property
    def folder(self) -> Path:
        """``<build_root>/<study>``: records, executed pages and html of this study."""
        return Path(self.build_root) / self.study

    @property
    def store(self) -> Place:
        """Where shards and records lie: `folder`, or ``<records_root>/<study>``."""
        return self.folder if self.records_root is None else place(self.records_root) / self.study

    @property
    def records(self) -> Place:
        """Folder of the consolidated Parquet tables, or its URL."""
        return self.store / "records"


KEYS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(Study) if f.name != "pages")


def flat(study: Study) -> dict[str, object]:
    """Return all parameters, those of the pages too, as plain YAML or JSON values."""
    pairs = {key: getattr(study, key) for key in KEYS} | dict(study.pages)
    return {key: list(v) if isinstance(v, tuple) else v for key, v in pairs.items()}

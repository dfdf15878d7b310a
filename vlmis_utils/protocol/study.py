"""A study: one flat parameter file, checked key by key before anything runs.

Every key of `params/*.yaml` is a field of `Study`, or a parameter that a page of the book declares
(such a key is kept in `Study.pages`). The same file works as it is with ``papermill -f``.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from vlmis_utils.core.errors import UserError, closest, shown
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.storage import Place, is_url, place
from vlmis_utils.protocol import classes
from vlmis_utils.protocol.conditions import (
    BLUR_SCALES,
    CONDITIONS,
    CORRUPTION_BACKENDS,
    NOISE_SIGMA,
)

__all__ = ["ENGINES", "KEYS", "PARSERS", "READING", "STUDY_FILE", "Study", "flat", "load_study",
           "recorded_parameters", "write_study"]  # fmt: skip

# Beside the records of a study: the parameters with which it ran.
STUDY_FILE = "study.yaml"

# How answers are read and averaged: changing one of these runs no model.
READING: tuple[str, ...] = (
    "top_k", "parser", "count_hedged", "critical_classes", "min_share", "epsilon", "bootstrap",
)  # fmt: skip

PARSERS: tuple[str, ...] = ("scoped", "keyword")
ENGINES: tuple[str, ...] = ("local", "ray")
SEVERITIES = 3


@dataclass(frozen=True)
class Study:
    """All that determines a study. Defaults are those of the embedded study.

    Attributes:
        study: name; everything generated lies in ``<build_root>/<study>/``.
        dataset: streetworld, cityscapes, camvid or folder.
        data_root: folder of a dataset that is not embedded; None for streetworld.
        class_map: what the label values of a folder mean, see `datasets.folder`; None
            for the other datasets.
        split: train, val or test.
        scenes: how many scenes, from the start of the split.
        seed: of the scenes (streetworld) and of the corruptions.
        conditions: which to run; ``clean`` is always needed, as all changes are taken from it.
        blur_scale: absolute (the paper's kernels in pixels) or relative (the same angle of view).
        corruption_backend: what degrades, auto, kornia or compiled: the same bytes, so no result
            depends on it.
        noise_sigma: low-light noise for severities 1 to 3, standard deviation in [0, 1] units.
        segmenters, vlms: names in the model catalogue.
        top_k: classes that a contrastive model mentions (Section 5.4).
        epsilon: in the denominator of HR (Section 3.3).
        min_share: share of the image a class needs to count as present.
        critical_classes: the safety-critical classes of COR (Section 3.4).
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

    study: str = "streetworld"
    dataset: str = "streetworld"
    data_root: str | None = None
    class_map: str | None = None
    split: str = "test"
    scenes: int = 100
    seed: int = 0
    conditions: tuple[str, ...] = CONDITIONS
    blur_scale: str = "absolute"
    corruption_backend: str = "auto"
    noise_sigma: tuple[float, ...] = NOISE_SIGMA
    segmenters: tuple[str, ...] = ("deeplabv3plus", "segformer", "mask2former")
    vlms: tuple[str, ...] = ("clip", "siglip", "qwen2-vl")
    top_k: int = 4
    epsilon: float = 1e-6
    min_share: float = classes.MIN_SHARE
    critical_classes: tuple[str, ...] = classes.CRITICAL_CLASSES
    parser: str = "scoped"
    count_hedged: bool = False
    bootstrap: int = 2000
    batch_size: int = 8
    shard_size: int = 25
    engine: str = "local"
    workers: int = 0
    device: str = "auto"
    build_root: str = "build"
    records_root: str | None = None
    models: str = "params/models.yaml"
    max_requests: int = 0
    max_cost: float = 0.0
    pages: Mapping[str, object] = field(default_factory=dict, hash=False)

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


_HINTS = typing.get_type_hints(Study)
KEYS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(Study) if f.name != "pages")

# A rule for a value of the right type: test and the words that complete "<key> must be ...".
_RULES: dict[str, tuple[Callable[[typing.Any], bool], str]] = {
    "study": (
        lambda v: v.isprintable() and not v.startswith(".") and v and not {"/", "\\"} & set(v),
        "a plain folder name",
    ),
    "records_root": (lambda v: (v or "").isprintable(), "a path or a URL"),
    "scenes": (lambda v: v >= 1, "at least 1"),
    "seed": (lambda v: v >= 0, "0 or more"),
    "conditions": (lambda v: "clean" in v, "a list with 'clean', as changes are taken from it"),
    "noise_sigma": (
        lambda v: len(v) == SEVERITIES and min(v) >= 0,
        "three numbers, 0 or more, for severities 1 to 3",
    ),
    "top_k": (
        lambda v: 1 <= v <= len(classes.OBJECT_CLASSES),
        f"from 1 to {len(classes.OBJECT_CLASSES)}, the number of object classes",
    ),
    "epsilon": (lambda v: v > 0, "above 0"),
    "min_share": (lambda v: 0 <= v < 1, "a share of the image from 0 to below 1"),
    "bootstrap": (lambda v: v >= 10, "at least 10"),
    "batch_size": (lambda v: v >= 1, "at least 1"),
    "shard_size": (lambda v: v >= 1, "at least 1"),
    "workers": (lambda v: v >= 0, "0 (one for each core) or more"),
    "build_root": (
        lambda v: v.isprintable() and not is_url(v),
        "a folder; 'records_root' is what takes a URL",
    ),
    "max_requests": (lambda v: v >= 0, "0 (no limit) or more"),
    "max_cost": (lambda v: v >= 0, "0 (no limit) or more"),
}


def load_study(
    path: str | Path,
    overrides: Mapping[str, object] | None = None,
    page_keys: Callable[[], frozenset[str]] | None = None,
) -> Study:
    """Read and check a parameter file.

    Args:
        path: a flat YAML file such as `params/streetworld.yaml`.
        overrides: keys that replace those of the file, as from ``-p key value``; text is read
            as YAML where the key is not text itself, and ``a,b`` as a list where one is due.
        page_keys: gives the parameters that the pages declare; called only for an unknown key.

    Raises:
        UserError: no such file, no flat YAML, an unknown key, a wrong type, an unknown model,
            condition, class or dataset. The message names it and the remedy.

    >>> load_study("params/smoke.yaml", {"top_k": 5}).top_k
    5
    """
    path = Path(path)
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = sorted(str(p) for p in path.parent.glob("*.yaml"))
        raise UserError(f"no parameter file {path}{closest(path, known)}") from None
    except (yaml.YAMLError, RecursionError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as YAML: {reason}") from None
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise UserError(f"{path} must hold 'key: value' lines, not {_named(given)}")

    values: dict[str, object] = {}
    pages: dict[str, object] = {}
    sources = [(str(path), given), ("-p", dict(overrides or {}))]
    for source, pairs in sources:
        for key, value in pairs.items():
            if key in KEYS:
                value = _parsed(key, value) if source == "-p" else value
                values[key] = _typed(key, value, source)
            elif page_keys is not None and key in page_keys():
                pages[key] = _read(value) if isinstance(value, str) else value
            else:
                known = (*KEYS, *(page_keys() if page_keys else ()))
                raise UserError(f"{source}: unknown key {key!r}{closest(key, known)}")
    study = Study(**values, pages=pages)
    _check(study, str(path))
    return study


def flat(study: Study) -> dict[str, object]:
    """Return all parameters, those of the pages too, as plain YAML or JSON values."""
    pairs = {key: getattr(study, key) for key in KEYS} | dict(study.pages)
    return {key: list(v) if isinstance(v, tuple) else v for key, v in pairs.items()}


def write_study(study: Study) -> None:
    """Write all parameters, overrides in force, to ``study.yaml`` beside the records.

    `load_study` reads the file like any other; so does `recorded_parameters`.

    Raises:
        StopError: the folder cannot be written to.
    """
    text = yaml.safe_dump(flat(study), sort_keys=False, allow_unicode=True)
    for folder in dict.fromkeys((study.folder, study.store)):
        write_atomically(folder / STUDY_FILE, f"# What this study ran with.\n{text}".encode())


def recorded_parameters(records: str | Place, keys: Iterable[str]) -> dict[str, object]:
    """Return parameters of the run that left these records; defaults where it left no file.

    Args:
        records: the folder of the tables, or its URL; ``study.yaml`` lies beside it.
        keys: which.

    Raises:
        UserError: ``study.yaml`` cannot be read, or holds a value that a study cannot have.
    """
    path = place(records).parent / STUDY_FILE
    given: object = {}
    if path.exists():
        try:
            given = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, RecursionError, ValueError, OSError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{path} cannot be read as YAML: {reason}") from None
        if not isinstance(given, dict):
            raise UserError(f"{path} must hold 'key: value' lines, not {_named(given)}")
    known = {key: _typed(key, given[key], str(path)) for key in keys if key in given}
    return {key: getattr(Study(**known), key) for key in keys}


def _parsed(key: str, value: object) -> object:
    """Read the text of a ``-p key value`` as its key's type wants it."""
    if not isinstance(value, str) or _HINTS[key] is str:
        return value
    if typing.get_origin(_HINTS[key]) is tuple and not value.lstrip().startswith("["):
        value = f"[{value}]"
    return _read(value)


def _read(text: str) -> object:
    """Read text as YAML; text that is none stands for itself."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return text


def _typed(key: str, value: object, source: str) -> object:
    """Return the value in its key's type, or raise `UserError` that names both."""
    hint = _HINTS[key]
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        if isinstance(value, list | tuple) and all(_is(v, item) for v in value) and value:
            return tuple(item(v) for v in value)
        expected = f"a list of {_WORDS[item]}"
    elif isinstance(hint, types.UnionType):
        if value is None or _is(value, str):
            return value
        expected = "text or null"
    else:
        if _is(value, hint):
            return hint(value)
        expected = _WORDS[hint]
    raise UserError(f"{source}: {key} must be {expected}, not {_named(value)}")


_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _is(value: object, kind: type) -> bool:
    if isinstance(value, str) and kind is float:  # YAML 1.1 reads 1e-6 as text
        try:
            float(value)
        except ValueError:
            return False
        return True
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _named(value: object) -> str:
    kind = {list: "a list", dict: "a mapping", type(None): "nothing"}.get(type(value))
    return f"{kind} ({shown(value)})" if kind else shown(value)


def _check(study: Study, source: str) -> None:
    """Check values that have the right type; imports the parts that know the names."""
    from vlmis_utils.datasets.registry import DATASETS, annotated_classes
    from vlmis_utils.protocol.models import find_model, load_catalogue

    for key, (holds, words) in _RULES.items():
        if not holds(getattr(study, key)):
            raise UserError(f"{source}: {key} must be {words}, not {shown(getattr(study, key))}")
    named = {"parser": PARSERS, "blur_scale": BLUR_SCALES, "dataset": DATASETS, "engine": ENGINES,
             "corruption_backend": CORRUPTION_BACKENDS}  # fmt: skip
    for key, known in named.items():
        _known(source, key, getattr(study, key), known)
    try:
        place(study.records_root or "")
    except UserError as error:
        raise UserError(f"{source}: records_root: {error}") from None
    try:
        annotated_classes(study.dataset, study.class_map)
    except UserError as error:
        raise UserError(f"{source}: {error}") from None
    for name in study.conditions:
        _known(source, "condition", name, CONDITIONS)
    for name in study.critical_classes:
        _known(source, "class", name, classes.LANGUAGE_CLASSES)
    try:
        classes.check_critical(study.critical_classes)
    except UserError as error:
        raise UserError(f"{source}: {error}") from None
    for key in ("conditions", "segmenters", "vlms", "critical_classes"):
        names = getattr(study, key)
        if len(set(names)) < len(names):
            raise UserError(f"{source}: {key} names something twice: {', '.join(names)}")
    catalogue = load_catalogue(study.models)
    for kind, names in (("segmenter", study.segmenters), ("vlm", study.vlms)):
        for name in names:
            try:
                find_model(catalogue, name, kind)
            except UserError as error:
                raise UserError(f"{source}: {error}") from None


def _known(source: str, key: str, value: str, known: typing.Iterable[str]) -> None:
    if value not in known:
        raise UserError(f"{source}: unknown {key} {value!r}{closest(value, known)}")

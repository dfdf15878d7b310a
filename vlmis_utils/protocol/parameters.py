"""Parameter files: read and checked as a whole, and written beside the records of a run."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.storage import Place, place
from vlmis_utils.core.strict_yaml import dump_yaml, parse_yaml, read_yaml
from vlmis_utils.core.validation import Problem, described, problems
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, OBJECT_CLASSES
from vlmis_utils.protocol.datasets import NOT_RENDERED, annotated_classes
from vlmis_utils.protocol.ground_corridor import camera_of
from vlmis_utils.protocol.models import find_model, load_catalogue
from vlmis_utils.protocol.study import KEYS, Study, flat

__all__ = ["STUDY_FILE", "Draft", "load_study", "read_study", "recorded_parameters", "write_study"]

# Beside the records of a study: the parameters with which it ran.
STUDY_FILE = "study.yaml"

PageKeys = Callable[[], frozenset[str]] | None

_HINTS = typing.get_type_hints(Study)
_MODELS = {"segmenters": "segmenter", "vlms": "vlm"}
_LISTS = (*_MODELS, "conditions", "critical_classes", "noise_sigma")
_OVERRIDE = "-p"
_SHOWN = 12


@dataclass(frozen=True)
class Draft:
    """What could be read of a parameter file.

    Attributes:
        study: of all that is right; a list has lost its wrong items, a key that is wrong has its
            default, and a model that cannot be looked up is left out.
        problems: what is wrong, each with the file, or ``-p``, that says it.
        wrong: their keys.
    """

    study: Study
    problems: tuple[tuple[str, str], ...] = ()
    wrong: frozenset[str] = frozenset()


def load_study(
    path: str | Path, overrides: Mapping[str, object] | None = None, page_keys: PageKeys = None
) -> Study:
    """Read and check a parameter file.

    Args:
        path: a flat YAML file such as `params/streetworld.yaml`.
        overrides: keys that replace those of the file, as from ``-p key value``; text is read
            as YAML where the key is not text itself, and ``a,b`` as a list where one is due.
        page_keys: gives the parameters that the pages declare; called only for an unknown key.

    Raises:
        UserError: no such file, no flat YAML, an unknown key, a wrong type, an unknown model,
            condition, class or dataset. The message names all mistakes, with remedies.

    >>> load_study("params/smoke.yaml", {"top_k": 5}).top_k
    5
    """
    draft = read_study(path, overrides, page_keys)
    if not draft.problems:
        return draft.study
    said: dict[str, list[str]] = {}
    for source, text in draft.problems[:_SHOWN]:
        said.setdefault(source, []).append(text)
    more = len(draft.problems) - _SHOWN
    whole = "; ".join(f"{source}: {'; '.join(texts)}" for source, texts in said.items())
    raise UserError(f"{whole}; and {more} more" if more > 0 else whole)


def read_study(
    path: str | Path, overrides: Mapping[str, object] | None = None, page_keys: PageKeys = None
) -> Draft:
    """Read a parameter file as far as it can be read; arguments as of `load_study`.

    Raises:
        UserError: no such file, or no flat YAML.
    """
    path = Path(path)
    pairs = {key: (value, str(path)) for key, value in _flat_yaml(path).items()}
    pairs |= {key: (_parsed(key, value), _OVERRIDE) for key, value in (overrides or {}).items()}
    values: dict[str, object] = {}
    pages: dict[str, object] = {}
    found: list[Problem] = []
    for key, (value, _) in pairs.items():
        if key in KEYS:
            values[key] = value
        elif page_keys is not None and key in page_keys():
            pages[key] = value
        else:
            known = (*KEYS, *(page_keys() if page_keys else ()))
            found.append(Problem(key, None, f"unknown key {key!r}{closest(key, known)}"))
    study, wrong = _as_far_as_right(values)
    found += wrong
    study, unknown = _looked_up(study, {problem.key for problem in found})
    found += unknown
    said = [(pairs.get(p.key, ("", str(path)))[1], p.text) for p in found]
    return Draft(replace(study, pages=pages), tuple(said), frozenset(p.key for p in found))


def _flat_yaml(path: Path) -> dict:
    try:
        given = read_yaml(path)
    except FileNotFoundError:
        known = sorted(str(p) for p in path.parent.glob("*.yaml"))
        raise UserError(f"no parameter file {path}{closest(path, known)}") from None
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise UserError(f"{path} must hold 'key: value' lines, not {described(given)}")
    return given


def _parsed(key: str, value: object) -> object:
    """Read the text of a ``-p key value`` as its key's type wants it."""
    hint = _HINTS.get(key)
    if not isinstance(value, str) or hint is str:
        return value
    if hint == str | None:
        return None if value in ("null", "~", "") else value
    if hint is not None and "tuple" in str(hint) and "," in value and "[" not in value:
        value = f"[{value}]"
    elif key in _LISTS and "[" not in value:
        value = f"[{value}]"
    try:
        return parse_yaml(value)
    except ValueError:
        return value


def _as_far_as_right(values: Mapping[str, object]) -> tuple[Study, list[Problem]]:
    """Return the study of those values that are right, and what is wrong with the others."""
    kept = dict(values)
    empty = [key for key in _LISTS if kept.get(key) == []]
    found = [Problem(key, None, f"{key} must be a list, not an empty one") for key in empty]
    for key in empty:
        del kept[key]
    first = True
    while True:
        try:
            return Study(**kept), found
        except ValidationError as error:
            wrong = problems(error, kept, KEYS)
        found += wrong if first else []
        first = False
        for key in {problem.key for problem in wrong}:
            kept |= _without(kept.pop(key), key, {p.place for p in wrong if p.key == key})


def _without(value: object, key: str, places: set[int | None]) -> dict[str, object]:
    """Return a key with what is right of its list; nothing where all of it is wrong."""
    items = value if isinstance(value, list | tuple) and None not in places else []
    rest = [item for place, item in enumerate(items) if place not in places]
    return {key: rest} if rest and key in _LISTS else ({key: []} if key in _MODELS else {})


def _looked_up(study: Study, wrong: set[str]) -> tuple[Study, list[Problem]]:
    """Look up what names stand for: the models of the catalogue, the classes of the dataset."""
    found: list[Problem] = []
    if not wrong & {"dataset", "class_map"}:
        try:
            annotated = annotated_classes(study.dataset, study.class_map)
        except UserError as error:
            found.append(Problem("class_map", None, str(error)))
        else:
            never = [name for name in study.critical_classes if name not in annotated]
            if never and study.critical_classes != CRITICAL_CLASSES:
                can = ", ".join(name for name in OBJECT_CLASSES if name in annotated) or "none"
                text = f"critical_classes: {', '.join(map(repr, never))} cannot be present, as "
                text += f"{study.dataset} does not annotate it; choose among {can}"
                found.append(Problem("critical_classes", None, text))
                study = replace(study, critical_classes=CRITICAL_CLASSES)
    if study.image_size is not None and study.dataset == "streetworld":
        found.append(Problem("image_size", None, f"image_size: {NOT_RENDERED}"))
    try:
        camera_of(study.dataset, study.camera_focal, study.camera_height, study.camera_pitch)
    except UserError as error:
        found.append(Problem("camera_focal", None, str(error)))
        study = replace(study, camera_focal=None, camera_height=None, camera_pitch=None)
    if "models" in wrong:
        return replace(study, **dict.fromkeys(_MODELS, ())), found
    try:
        catalogue = load_catalogue(study.models)
    except UserError as error:
        found.append(Problem("models", None, str(error)))
        return replace(study, **dict.fromkeys(_MODELS, ())), found
    for key, kind in _MODELS.items():
        right = []
        for name in getattr(study, key):
            try:
                right.append(find_model(catalogue, name, kind).name)
            except UserError as error:
                found.append(Problem(key, None, str(error)))
        study = replace(study, **{key: tuple(right)})
    return study, found


def write_study(study: Study) -> None:
    """Write all parameters, overrides in force, to ``study.yaml`` beside the records.

    `load_study` reads the file like any other; so does `recorded_parameters`.

    Raises:
        StopError: the folder cannot be written to.
    """
    text = dump_yaml(flat(study))
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
    given = _flat_yaml(path) if path.exists() else {}
    known = {key: given[key] for key in keys if key in given}
    study, wrong = _as_far_as_right(known)
    if wrong:
        raise UserError(f"{path}: {'; '.join(problem.text for problem in wrong)}")
    return {key: getattr(study, key) for key in keys}

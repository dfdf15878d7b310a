"""A parameter file for a study of one's own: every key with its meaning, and questions to answer.

The words about each key are those of `params/streetworld.yaml`, which has them all; values are
those of the study that one starts from. What no program can know stands as a question above the key
that answers it.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from vlmis_utils.core.errors import UserError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.strict_yaml import dump_yaml
from vlmis_utils.protocol.datasets import annotated_classes
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.parameters import PageKeys, load_study
from vlmis_utils.protocol.study import Study, flat

__all__ = ["QUESTION", "New", "new_study", "questions"]

COMMENTED = Path("params/streetworld.yaml")
QUESTION = "# QUESTION: "
_WIDTH = 98
_KEY = re.compile(r"^(?P<key>\w+):\s*(?P<value>\[.*?\]|[^#]*?)\s*(?P<comment>#.*)?$")


@dataclass(frozen=True)
class New:
    """A study that was begun.

    Attributes:
        path: of the parameter file.
        asked: the questions in it, in its order.
    """

    path: Path
    asked: tuple[str, ...]


def new_study(name: str, source: str | Path, page_keys: PageKeys = None) -> New:
    """Write ``<name>.yaml`` beside a parameter file, with its values, comments and questions.

    Args:
        name: of the study.
        source: the parameter file to start from.
        page_keys: as of `protocol.parameters.load_study`.

    Raises:
        UserError: the name is no plain name or is taken, or ``source`` is wrong.
    """
    study = load_study(source, page_keys=page_keys)
    path = Path(source).parent / f"{name}.yaml"
    try:
        study = replace(study, study=name)
    except ValidationError:
        raise UserError(f"{name!r} cannot name a study: give a plain folder name") from None
    if path.exists():
        raise UserError(f"{path} is there already: choose another name, or remove it")
    if not COMMENTED.exists():
        raise UserError(f"no {COMMENTED} here: run vlmis in the folder of the repository")
    asked = questions(study)
    write_atomically(path, _text(study, Path(source), asked).encode())
    return New(path, tuple(asked.values()))


def questions(study: Study) -> dict[str, str]:
    """Return what cannot be known of a study: key to the question that its value answers.

    >>> list(questions(Study()))
    ['scenes', 'segmenters', 'critical_classes']
    """
    return {key: text for key, text, matters in _questions(study) if matters}


def _questions(study: Study) -> list[tuple[str, str, bool]]:
    """Return key, question, and whether it matters for this study."""
    photographs = study.dataset != "streetworld"
    catalogue = load_catalogue(study.models)
    hosted = any(catalogue[name].library == "openai" for name in study.vlms)
    known = annotated_classes(study.dataset, study.class_map)
    usual = [name for name in study.critical_classes if name in known]
    return [
        ("data_root", "In which folder do the data lie, laid out as the file you started from "
         "says?", photographs),
        ("class_map", "What does each value in your label maps mean? Copy the nearest file of "
         "params/class_maps/ and say it for yours.", study.dataset == "folder"),
        ("split", "Has any of the models below been trained on this split? Then its scores are "
         "too good, and their fall is what you can read.", photographs),
        ("image_size", "At which size shall the models see the frames? null leaves them as they "
         "are.", photographs),
        ("camera_focal", "Which camera took the images, how high and turned down how far? "
         "Without all three the safety label is the image rule's.",
         photographs and study.camera is None),
        ("scenes", "How many scenes does the difference that you look for need? The page on power "
         "says what a number of scenes can show.", True),
        ("blur_scale", "How wide are your images? The paper's blur in pixels is made for 2048; "
         "relative blurs the same angle of view.", photographs),
        ("segmenters", "Which models, and what did they learn from? Their names are in the file "
         "under 'models'; another is an entry more.", True),
        ("critical_classes", f"Which classes must no one overlook where you drive? Here "
         f"{', '.join(usual) or 'none'} can be known from the labels.", True),
        ("min_share", "How large must an object be in your images for a person to name it? "
         "0.0004 of the image is 52 pixels at 256 x 512.", photographs),
        ("max_cost", "How much may the hosted models cost, all of the study together?", hosted),
        ("explorer_pictures", "Who will see the book? 'all' puts images of the data into it.",
         photographs),
    ]  # fmt: skip


def _text(study: Study, source: Path, asked: dict[str, str]) -> str:
    values = flat(study)
    lines = [f"# {study.study}: a study begun from {source.name}.", "#",
             f"#   vlmis check {source.parent / study.study}.yaml     what it still lacks",
             f"#   vlmis run {source.parent / study.study}.yaml", "#",
             "# A line that begins with QUESTION asks what only you can know: answer it in the key",
             "# below it and remove the line. Everything else may stay as it is."]  # fmt: skip
    if source != COMMENTED:
        lines += ["#", f"# What {source.name} says of itself:", "#", *_header(source)]
    comments = _comments(source)
    body = COMMENTED.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(body) if not line.startswith("#"))
    written = set()
    for line in body[start:]:
        found = _KEY.match(line)
        if not found or found["key"] not in values:
            lines.append(line)
            continue
        key = found["key"]
        lines += [*_asked(asked, key), _line(key, values[key], found["comment"] or "")]
        written.add(key)
    usual = flat(Study())
    other = [key for key in values if usual.get(key) != values[key]]
    own = [key for key in other if key not in written]
    pages = [key for key in asked if key not in {*written, *own}]
    if own or pages:
        lines += ["", f"# What {source.name} says beside, and what single pages take."]
    for key in (*own, *pages):
        lines += [*_asked(asked, key), _line(key, values.get(key, "own"), comments.get(key, ""))]
    return "\n".join(lines) + "\n"


def _header(source: Path) -> list[str]:
    lines = source.read_text(encoding="utf-8").splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:end]


def _comments(source: Path) -> dict[str, str]:
    """Return what a parameter file says beside its keys."""
    found = map(_KEY.match, source.read_text(encoding="utf-8").splitlines())
    return {line["key"]: line["comment"] for line in found if line and line["comment"]}


def _asked(asked: dict[str, str], key: str) -> list[str]:
    if key not in asked:
        return []
    return textwrap.wrap(asked[key], _WIDTH, initial_indent=QUESTION, subsequent_indent="#   ")


def _line(key: str, value: object, comment: str) -> str:
    text = _flow(value) if isinstance(value, list) else dump_yaml({key: value})
    text = f"{key}: {text}" if isinstance(value, list) else text.strip()
    return f"{text.ljust(29)} {comment}".rstrip()


def _flow(values: list[object]) -> str:
    """Return a list in one line, each item as YAML writes it alone."""
    items = [dump_yaml({"item": value}).strip().partition(": ")[2] for value in values]
    return f"[{', '.join(items)}]"

"""YAML as its version 1.2 reads it, with what readers would take in two ways refused.

PyYAML reads version 1.1, where ``010`` is eight, ``yes`` is true and ``1:30`` is ninety. Here plain
scalars follow the core schema of version 1.2 (`yaml.org/spec/1.2.2`, section 10.3), a number with a
leading zero is refused, and so is a key that stands twice, of which YAML would keep the last.
"""

from __future__ import annotations

import copy
import re
from functools import lru_cache
from pathlib import Path

import yaml

from vlmis_utils.core.errors import UserError

__all__ = ["dump_yaml", "parse_yaml", "read_yaml"]


class _Core(yaml.SafeLoader):
    """PyYAML's safe loader with the core schema's plain scalars."""

    yaml_implicit_resolvers: dict = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: list[object] = []
        if isinstance(node, yaml.MappingNode):
            for key, _ in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    continue
                name = self.construct_object(key, deep=True)
                if name in seen:
                    raise _refused(f"{name!r} stands twice", key)
                seen.append(name)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes text that either version of YAML would read as something else."""


def _refused(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _whole(loader: _Core, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    if re.fullmatch(r"[-+]?0[0-9]+", text):
        plain = f"{'-' if text.startswith('-') else ''}{text.lstrip('+-0') or '0'}"
        raise _refused(f"{text} is octal to some readers: write {plain}, or '{text}' as text", node)
    for start, base in (("0x", 16), ("0o", 8)):
        if text.startswith(start):
            return int(text[2:], base)
    return int(text)


_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
)
for _name, _pattern, _first in _SCALARS:
    for _class in (_Core, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_name}",
            re.compile(rf"^(?:{_pattern})$"),
            ["" if c == "\0" else c for c in _first],
        )
_Core.add_constructor("tag:yaml.org,2002:int", _whole)
_Core.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(
    re.sub(r"\.(inf|nan)$", r"\1", loader.construct_scalar(node).lower())
))  # fmt: skip


def parse_yaml(text: str) -> object:
    """Return what a YAML text holds, in plain Python values.

    Raises:
        ValueError: it is no YAML, holds a key twice or a number with a leading zero; one line.

    >>> parse_yaml("[yes, 1e-6, 0o17, 1:30, null]")
    ['yes', 1e-06, 15, '1:30', None]
    """
    try:
        return copy.deepcopy(_parsed(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        parts = [part for part in (error.context, error.problem) if part]
        where = f" (line {mark.line + 1})" if mark else ""
        raise ValueError(" ".join(" ".join(parts).split()) + where) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise ValueError(" ".join(str(error).split())[:300]) from None


@lru_cache(maxsize=64)
def _parsed(text: str) -> object:
    """Parse a text once: a run, a page, or a test reads the same few files many times."""
    return yaml.load(text, Loader=_Core)


def read_yaml(path: Path) -> object:
    """Return what a YAML file holds, as `parse_yaml` reads it.

    Raises:
        FileNotFoundError: no such file.
        UserError: it cannot be read, or as `parse_yaml`; the message names the file.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as YAML: {reason}") from None


def dump_yaml(values: dict[str, object]) -> str:
    """Return plain values as YAML that this module and readers of version 1.1 read alike.

    >>> dump_yaml({"study": "1e5", "seed": 0, "data_root": None})
    "study: '1e5'\\nseed: 0\\ndata_root: null\\n"
    """
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True)

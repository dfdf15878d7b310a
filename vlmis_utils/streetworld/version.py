"""The version of the world: a digest of what its generator does, blind to how it is laid out.

Layout, comments, docstrings, imports and the module that a definition lives in do not count.
"""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

__all__ = ["drive_version", "world_version"]

_FOLDER = Path(__file__).parent
_ROOT = "vlmis_utils.streetworld"
# Names that no picture and no safety label of the world depends on.
_OTHER_NAMES = frozenset({"__all__", "WORLD_VERSION", "ROAD_USERS"})

# Digest of code that left every picture and label as it was -> the version that it continues.
_CONTINUES: dict[str, str] = {}


def _imported(tree: ast.Module) -> list[Path]:
    """Modules of the generator that a module imports."""
    found = []
    for node in ast.walk(tree):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if f"{module}.".startswith(f"{_ROOT}."):
            inside = _FOLDER.joinpath(*module.split(".")[2:])
            found += [inside.with_suffix(".py"), *(inside / f"{a.name}.py" for a in node.names)]
    return [path for path in found if path.is_file() and path.name != "version.py"]


def _definitions(tree: ast.Module) -> list[str]:
    """Each top-level definition as text, without docstrings and comments."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[:1] = [] if len(body) > 1 else [ast.Pass()]
    kept = []
    for node in tree.body:
        targets = getattr(node, "targets", [getattr(node, "target", node)])
        names = {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
        names.add(getattr(node, "name", ""))
        if (
            not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)
            and not names & _OTHER_NAMES
        ):
            kept.append(ast.dump(node))
    return kept


def world_version() -> str:
    """Twelve hexadecimal digits: what `world.py`, its imports here and the safety rule define."""
    found = _digest("world.py")
    return _CONTINUES.get(found, found)


def drive_version() -> str:
    """The same of `drive.py`: the world, and how it goes on in time."""
    return _digest("drive.py")


@lru_cache(maxsize=2)
def _digest(start: str) -> str:
    waiting = [_FOLDER / start]
    seen = set(waiting)
    rule = _FOLDER.parent / "protocol" / "safety_label.py"
    texts = _definitions(ast.parse(rule.read_text("utf-8")))
    while waiting:
        tree = ast.parse(waiting.pop().read_text("utf-8"))
        fresh = sorted(set(_imported(tree)) - seen)
        waiting += fresh
        seen.update(fresh)
        texts += _definitions(tree)
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:12]

"""How much memory a process can still have: of the machine, and within its container's limit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["available_memory"]

# cgroup version -> (limit, use, statistics), each a file of the group; what can be dropped at once
_FILES: dict[int, tuple[str, str, str]] = {
    2: ("memory.max", "memory.current", "inactive_file"),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def available_memory(root: Path = Path("/")) -> int:
    """Return the bytes that this process can still take without swapping.

    On Linux the kernel's own estimate (``MemAvailable``), in which the page cache counts as
    available, or less where a control group (version 1 or 2), as of a container or a batch job,
    leaves less. Elsewhere the free pages, or all memory where the system does not tell.

    Args:
        root: of the file system; a test puts its own there.

    Returns:
        bytes, 0 or more.
    """
    found = [*_of_machine(root), *_of_groups(root)]
    return max(0, min(found)) if found else _free_pages()


def _of_machine(root: Path) -> list[int]:
    match = re.search(r"^MemAvailable:\s+(\d+) kB", _text(root / "proc/meminfo"), re.M)
    return [int(match[1]) * 1024] if match else []


def _of_groups(root: Path) -> Iterator[int]:
    """Yield what the limits of this process's groups, and of the groups around them, leave."""
    base = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            version, top = 2, base
        elif "memory" in controllers.split(","):
            version, top = 1, base / "memory"
        else:
            continue
        inside = top / path.lstrip("/")
        for folder in (inside, *inside.parents):
            if folder == top or top in folder.parents:
                yield from _left(folder, *_FILES[version])


def _left(folder: Path, limit: str, use: str, cache: str) -> Iterator[int]:
    most, used = _text(folder / limit).strip(), _text(folder / use).strip()
    if most.isdigit() and used.isdigit() and int(most) < 2**60:  # version 1 has no word for none
        match = re.search(rf"^{cache} (\d+)", _text(folder / "memory.stat"), re.M)
        yield int(most) - int(used) + (int(match[1]) if match else 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _free_pages() -> int:
    for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        try:
            return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, OSError):
            continue
    return 0

"""Memory that is really available: the page cache counts, and so do the limits of containers."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from vlmis_utils.core.memory import available_memory

GIB = 2**30
MEMINFO = "MemTotal:  65536000 kB\nMemFree:  819200 kB\nMemAvailable:  20971520 kB\nCached: 9 kB\n"


def machine(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(content))
    return root


def test_the_page_cache_counts_as_available(tmp_path: Path) -> None:
    assert available_memory(machine(tmp_path, {"proc/meminfo": MEMINFO})) == 20 * GIB


V2 = "sys/fs/cgroup/"
V1 = "sys/fs/cgroup/memory/"


@pytest.mark.parametrize(
    ("files", "gib"),
    [
        # a container of version 2: 4 GiB, 3 used, of which 2 are cache that can be dropped
        ({"proc/self/cgroup": "0::/\n", V2 + "memory.max": 4 * GIB, V2 + "memory.current": 3 * GIB,
          V2 + "memory.stat": f"anon 5\ninactive_file {2 * GIB}\n"}, 3),
        # no limit
        ({"proc/self/cgroup": "0::/user.slice\n", V2 + "user.slice/memory.max": "max",
          V2 + "user.slice/memory.current": GIB}, 20),
        # a job inside a limited slice: the outer limit holds
        ({"proc/self/cgroup": "0::/slurm/job_7/step\n", V2 + "slurm/job_7/step/memory.max": "max",
          V2 + "slurm/job_7/step/memory.current": GIB, V2 + "slurm/memory.max": 6 * GIB,
          V2 + "slurm/memory.current": GIB}, 5),
        # version 1, and its number for no limit
        ({"proc/self/cgroup": "9:cpu,cpuacct:/a\n4:memory:/docker/ab\n0::/\n",
          V1 + "docker/ab/memory.limit_in_bytes": 2 * GIB,
          V1 + "docker/ab/memory.usage_in_bytes": GIB,
          V1 + "docker/ab/memory.stat": f"cache 1\ntotal_inactive_file {GIB // 2}\n"}, 1.5),
        ({"proc/self/cgroup": "4:memory:/\n", V1 + "memory.limit_in_bytes": 9223372036854771712,
          V1 + "memory.usage_in_bytes": GIB}, 20),
        # inside a container the path of the host is not mounted: the mount's top is the group
        ({"proc/self/cgroup": "4:memory:/docker/deadbeef\n", V1 + "memory.limit_in_bytes": GIB,
          V1 + "memory.usage_in_bytes": 0}, 1),
        # more used than allowed, damaged files, a path that climbs
        ({"proc/self/cgroup": "0::/\n", V2 + "memory.max": GIB, V2 + "memory.current": 2 * GIB}, 0),
        ({"proc/self/cgroup": "0::/\n", V2 + "memory.max": "", V2 + "memory.current": "x"}, 20),
        ({"proc/self/cgroup": "nonsense\n0::/../..\n"}, 20),
    ],
)  # fmt: skip
def test_a_containers_limit_counts(tmp_path: Path, files: dict[str, object], gib: float) -> None:
    root = machine(tmp_path, {"proc/meminfo": MEMINFO, **files})
    assert available_memory(root) == gib * GIB


def test_a_system_that_tells_nothing_has_some_memory(tmp_path: Path) -> None:
    assert available_memory(tmp_path) > 0


def test_this_machine_against_psutil() -> None:
    free = psutil.virtual_memory()
    assert 0 < available_memory() <= free.available + free.total // 10

"""Video files as folders of frames: each is decoded once, without loss, into the cache.

PyAV reads them, whatever container and codec its FFmpeg knows; install it with ``vlmis[video]``.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.datasets.rendered import cache_root

__all__ = ["VIDEOS", "frames_of_videos", "natural"]

# Endings of video files, in lower case.
VIDEOS: tuple[str, ...] = (".mp4", ".mkv", ".mov", ".avi", ".webm")


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts frame9 before frame10.

    >>> sorted(["f10", "f9"], key=natural)
    ['f9', 'f10']
    """
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def frames_of_videos(
    videos: Mapping[str, Path], labels: Iterable[str], place: Path
) -> dict[str, Path]:
    """Return the frames of videos as picture files, each named as its label map.

    The first frame goes with the first label map of the video's folder, and so on.

    Args:
        videos: <subfolders>/<sequence> -> file.
        labels: <subfolders>/<sequence>/<frame> of all label maps.
        place: the folder of label maps, for messages.

    Returns:
        <subfolders>/<sequence>/<frame> -> PNG file in the cache.

    Raises:
        UserError: PyAV is missing; a video has not as many frames as label maps.
        RunError: a video cannot be read.
    """
    found: dict[str, Path] = {}
    for sequence, path in sorted(videos.items()):
        names = [name for name in labels if name.rpartition("/")[0] == sequence]
        frames = _decoded(path)
        if len(frames) != len(names):
            raise UserError(
                f"{path} has {len(frames)} frames and {place / sequence} {len(names)} label maps: "
                "give each frame one, in the order of their numbers"
            )
        found |= dict(zip(sorted(names, key=natural), frames, strict=True))
    return found


def _decoded(path: Path) -> list[Path]:
    """Return the frames of a video in order, decoded now or before."""
    stat = path.stat()
    facts = f"{path.resolve()}/{stat.st_size}/{stat.st_mtime_ns}"
    key = hashlib.sha256(facts.encode()).hexdigest()[:16]
    folder = cache_root() / "videos" / key / path.stem
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            _decode(path, Path(draft) / "frames", stat.st_mtime_ns)
            try:
                os.replace(Path(draft) / "frames", folder)
            except OSError:  # another process was faster
                if not folder.is_dir():
                    raise
    return sorted(folder.iterdir())


def _decode(path: Path, folder: Path, changed: int) -> None:
    """Write the frames into a new folder, as old as the video: a run tells files apart by that."""
    try:
        import av
    except ImportError as error:
        raise UserError(
            f"{path} is a video, and PyAV is not installed: pip install 'vlmis[video]'"
        ) from error
    folder.mkdir()
    try:
        with av.open(str(path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                picture = folder / f"{number:06d}.png"
                frame.to_image().save(picture, compress_level=1)
                os.utime(picture, ns=(changed, changed))
    except (av.FFmpegError, IndexError) as error:
        reason = getattr(error, "strerror", None) or "it holds no video"
        raise RunError(f"cannot read {path} ({reason}): copy it again") from error

"""One image of 1024 x 2048 pixels to its nine variants: ours against four libraries, one thread.

Every side makes a new uint8 image for each variant, in the layout that its library likes: ours and
Kornia planes, the others interleaved pixels. Before timing, blur and occlusion are checked to be
the same picture on all sides, to one level. All sides run in this process, where freed memory is
kept, as in the workers of a study. What stands for the peers:

- OpenCV: `blur` with a flat kernel, a table for gamma, `randn` into a buffer of whole levels made
  beforehand, a sum that saturates, a filled rectangle.
- albumentations: its transforms, as documented, with every choice pinned.
- Kornia: floats in [0, 1]; `motion_blur` with its square kernel, `adjust_gamma` and `randn`.
- imagecorruptions: its nearest corruptions, severities 1 to 3; it has no gamma and no occluder.

The last row copies the image nine times. Times are the process's processor time: threads that a
peer starts on its own count, and what else the machine does hardly matters. Run it with
`make bench`; ``--save`` keeps the table.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

import cv2
import kornia
import numpy as np
import torch
from paired import Row, paired, publish

from vlmis_utils.core.allocator import keep_freed_memory
from vlmis_utils.corruptions.corrupt import NOISE_SIGMA, TABLE1, corrupt, occluder

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import albumentations
    import imagecorruptions

HEIGHT, WIDTH = 1024, 2048
INPUTS = f"{HEIGHT} x {WIDTH}, 1 thread"
FAMILIES = {"motion blur": "MB", "low light": "LL", "occlusion": "OCC"}
BOXES = [occluder("a", severity, HEIGHT, WIDTH) for severity in (1, 2, 3)]
Way = Callable[[str], np.ndarray | torch.Tensor]


def street() -> np.ndarray:
    """Return a picture with structure and grain, uint8 (H, W, 3)."""
    rng = np.random.default_rng(0)
    small = rng.uniform(0, 255, (32, 64, 3)).astype(np.float32)
    smooth = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)


def ours(image: np.ndarray) -> Way:
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].contiguous()
    return lambda condition: corrupt(planes, condition, scene_ids=["a"])


def opencv(image: np.ndarray) -> Way:
    noise = np.empty(image.shape, np.int16)
    rows = {row.condition: row for row in TABLE1}
    levels = np.arange(256) / 255
    tables = {
        r.condition: (255 * levels**r.gamma).round().astype(np.uint8) for r in TABLE1 if r.gamma
    }

    def one(condition: str) -> np.ndarray:
        row = rows[condition]
        if row.kernel:
            return cv2.blur(image, (row.kernel, 1), borderType=cv2.BORDER_REPLICATE)
        if row.gamma:
            cv2.randn(noise, 0, 255 * NOISE_SIGMA[row.severity - 1])
            return cv2.add(cv2.LUT(image, tables[condition]), noise, dtype=cv2.CV_8U)
        top, left, tall, wide = BOXES[row.severity - 1]
        out = image.copy()
        return cv2.rectangle(out, (left, top), (left + wide - 1, top + tall - 1), 0, cv2.FILLED)

    return one


def albu(image: np.ndarray) -> Way:
    steps = {}
    for row, sigma, (_, _, tall, wide) in zip(TABLE1, (0, 0, 0, *NOISE_SIGMA, 0, 0, 0),
                                              (*BOXES, *BOXES, *BOXES), strict=True):  # fmt: skip
        if row.kernel:
            steps[row.condition] = albumentations.MotionBlur(
                blur_limit=(row.kernel, row.kernel), allow_shifted=False,
                angle_range=(0, 0), direction_range=(0, 0), p=1,
            )  # fmt: skip
        elif row.gamma:
            gamma = 100 * row.gamma
            steps[row.condition] = albumentations.Compose(
                [
                    albumentations.RandomGamma(gamma_limit=(gamma, gamma), p=1),
                    albumentations.GaussNoise(std_range=(sigma, sigma), p=1),
                ]
            )
        else:
            steps[row.condition] = albumentations.CoarseDropout(
                num_holes_range=(1, 1), hole_height_range=(tall, tall),
                hole_width_range=(wide, wide), fill=0, p=1,
            )  # fmt: skip
    return lambda condition: steps[condition](image=image)["image"]


def stock_kornia(image: np.ndarray) -> Way:
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].contiguous()
    rows = {row.condition: row for row in TABLE1}

    def one(condition: str) -> torch.Tensor:
        row, pixels = rows[condition], planes.float() / 255
        if row.kernel:
            out = kornia.filters.motion_blur(pixels, row.kernel, 0.0, 0.0, "replicate")
        elif row.gamma:
            dark = kornia.enhance.adjust_gamma(pixels, row.gamma)
            out = dark + torch.randn_like(dark) * NOISE_SIGMA[row.severity - 1]
        else:
            top, left, tall, wide = BOXES[row.severity - 1]
            out = pixels
            out[..., top : top + tall, left : left + wide] = 0
        return (out.clamp(0, 1) * 255).round().to(torch.uint8)

    return one


def nearest(image: np.ndarray) -> Way:
    names = {"MB": "motion_blur", "LL": "gaussian_noise"}
    return lambda condition: imagecorruptions.corrupt(
        image, severity=int(condition[-1]), corruption_name=names[condition[:-1]]
    )


def run(way: Way, conditions: list[str]) -> Callable[[], None]:
    def work() -> None:
        for condition in conditions:
            way(condition)

    return work


def check(mine: Way, peers: dict[str, Way], image: np.ndarray) -> None:
    """Stop unless our bytes are the reference's, and the peers' pictures ours."""
    compiled = {row.condition: mine(row.condition) for row in TABLE1}
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].contiguous()
    for condition, got in compiled.items():
        reference = corrupt(planes, condition, scene_ids=["a"], backend="kornia")
        assert torch.equal(got, reference), f"{condition} differs from the reference"
    side = 13  # half the widest kernel: the borders of albumentations mirror the picture
    for name, peer in peers.items():
        for condition in ("MB1", "MB3", "OCC2", "LL2"):
            theirs = torch.as_tensor(peer(condition))
            theirs = theirs[0] if theirs.ndim == 4 else theirs.permute(2, 0, 1)
            gaps = (theirs.int() - compiled[condition][0].int())[..., side:-side].float()
            if condition == "LL2":
                assert abs(gaps.mean()) < 1 and 10 < gaps.std() < 15, (name, condition)
            elif not (condition == "OCC2" and name.startswith("albu")):  # its place is random
                assert gaps.abs().max() <= 1, (name, condition)


def first_use() -> str:
    """Return a line about what the compiled kernels cost a process once."""
    child = (
        "import time, torch, kornia; t = time.process_time(); "
        "import vlmis_utils.corruptions.numba_backend; "
        "print(time.process_time() - t)"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        new, kept = (
            float(subprocess.check_output([sys.executable, "-c", child], env=environment))
            for _ in range(2)
        )
    return (
        f"first use in a process: {new:.1f} s on a new machine, {kept:.1f} s once compiled and kept"
    )


def main() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_freed_memory()
    image = street()
    mine = ours(image)
    peers = {
        f"OpenCV {cv2.__version__}": (opencv(image), 1),
        f"albumentations {version('albumentations')}": (albu(image), 5),
        f"Kornia {version('kornia')}, stock": (stock_kornia(image), 12),
    }
    check(mine, {name: peer for name, (peer, _) in peers.items()})
    every = [row.condition for row in TABLE1]
    rows: list[Row] = []

    def add(subject: str, peer: str, mark: str, way: Way, rounds: int, goal: float | None) -> None:
        those = [condition for condition in every if condition.startswith(mark)]
        rows.append(
            paired(
                subject,
                INPUTS,
                peer,
                run(mine, those),
                run(way, those),
                rounds=rounds,
                goal=goal,
                clock=time.process_time,
            )  # fmt: skip
        )

    for name, (way, goal) in peers.items():
        rounds = 3 if name.startswith("Kornia") else 7
        add("all nine variants", name, "", way, rounds, goal)
        for family, mark in FAMILIES.items():
            add(f"{family}, three severities", name, mark, way, rounds, None)
    name, way = f"imagecorruptions {version('imagecorruptions')}", nearest(image)
    add("motion blur, three severities", f"{name}, motion_blur", "MB", way, 3, None)
    add("low light, three severities", f"{name}, gaussian_noise", "LL", way, 3, None)
    copies = f"NumPy {np.__version__}, nine copies"
    add("all nine variants", copies, "", lambda condition: image.copy(), 7, None)
    publish("corruptions", rows)
    print(first_use())


if __name__ == "__main__":
    main()

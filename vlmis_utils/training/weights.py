"""Train the embedded checkpoints: ``python -m vlmis_utils.training.weights``, or `make weights`.

Interrupt it at any time: the same command goes on where it stopped. With ``--data cityscapes`` and
``--root`` the models learn from photographs instead, from the StreetWorld checkpoints on.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vlmis_utils.core.allocator import keep_freed_memory
from vlmis_utils.core.errors import UserError, closest, exit_code
from vlmis_utils.training.data import SCENES

__all__ = ["DATA", "MODELS", "main"]

SEGMENTERS: tuple[str, ...] = ("deeplabv3plus", "segformer", "mask2former")
VLMS: tuple[str, ...] = ("clip", "siglip", "qwen2-vl")
MODELS: tuple[str, ...] = SEGMENTERS + VLMS
CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"
# What the models can learn from -> where their checkpoints lie, with logs and quality beside them.
DATA: dict[str, Path] = {
    "streetworld": CHECKPOINTS,
    "cityscapes": CHECKPOINTS.parent / "cityscapes" / "checkpoints",
}
# Held-out photographs of an evaluation during training.
_HELD_OUT = 40


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m vlmis_utils.training.weights", None, __doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"of {', '.join(MODELS)}")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="wall minutes a model, else its recipe's own")
    length.add_argument("--steps", type=int, help="optimiser steps a model, instead of minutes")
    parser.add_argument(
        "--scenes", type=int, default=SCENES, help=f"training scenes (default: {SCENES})"
    )
    parser.add_argument("--seed", type=int, default=0, help="of worlds and weights (default: 0)")
    parser.add_argument("--threads", type=int, help="default: OMP_NUM_THREADS or all")
    parser.add_argument("--data", default="streetworld", choices=sorted(DATA))
    parser.add_argument(
        "--root", type=Path, help="folder of the photographs: images/, labels/, classes.yaml"
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--further",
        action="store_true",
        help="train the models in --out on, not anew (StreetWorld's VLMs: on the safety label)",
    )
    start.add_argument(
        "--start",
        type=Path,
        help="begin with the checkpoints in this folder (photographs: those of StreetWorld)",
    )
    start.add_argument("--anew", action="store_true", help="begin with random weights")
    parser.add_argument(
        "--average",
        action="store_true",
        help="with --start, another folder than --out: keep the mean of both segmenters' weights",
    )
    parser.add_argument("--out", type=Path, help="default: the folder in the package")
    parser.add_argument(
        "--work", type=Path, help="resume states (default: build/training, or build/<data>)"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train the models named, and return the exit code: 0 done, 1 failed, 2 misused."""
    options = _parser().parse_args(argv)
    again = "interrupted: the same command goes on from the last saved step"
    return exit_code(lambda: _train_all(options), again)


def _train_all(options: argparse.Namespace) -> None:
    names = tuple(options.only or MODELS)
    if options.average and (options.start is None or options.start == options.out):
        raise UserError("--average needs --start, a folder other than --out")
    for name in names:
        if name not in MODELS:
            raise UserError(f"unknown model {name!r}{closest(name, MODELS)}")
    for key in ("minutes", "steps", "scenes"):
        value = getattr(options, key)
        if value is not None and value <= 0:
            raise UserError(f"--{key} {value} must be above 0")
    from vlmis_utils.training.loop import use_threads

    use_threads(options.threads)
    keep_freed_memory()
    for name in names:
        _train(name, options)


def _train(name: str, options: argparse.Namespace) -> None:
    out = options.out or DATA[options.data]
    more = {} if options.data == "streetworld" else _on_photographs(name, options)
    start = options.start or more.pop("start", None)
    if options.further:
        start = out
        if name in VLMS and options.data == "streetworld":
            _on_the_label(name, options, out)
            return
    if name in SEGMENTERS:
        from vlmis_utils.training.recipes.train_segmenters import train_segmenter as train
    else:
        from vlmis_utils.training.recipes.train_vlms import train_vlm as train
    settings: dict[str, Any] = {
        "out": out,
        "device": options.device,
        "minutes": options.minutes,
        "steps": options.steps,
        "scenes": options.scenes,
        "seed": options.seed,
        "average": options.average,
    }
    if options.work:
        settings["work"] = options.work
    settings |= more
    if start is not None and not options.anew:
        settings["start"] = start / name
    known = inspect.signature(train).parameters
    run = train(name, **{key: value for key, value in settings.items() if key in known})
    print(f"{name}: {out / name} ({getattr(run, 'metric', run)})")


def _on_the_label(name: str, options: argparse.Namespace, out: Path) -> None:
    """Teach a vision-language model the safety label of today's StreetWorld."""
    from vlmis_utils.core.device import resolve_device
    from vlmis_utils.training.recipes.further import train_further, with_foreseen

    run = train_further(
        name, with_foreseen(seed=options.seed), start=out / name, out=out / name,
        work=options.work or Path("build") / "training",
        log=out.parent / "logs" / f"{name}-further.csv", device=resolve_device(options.device),
        steps=options.steps, seed=options.seed,
    )  # fmt: skip
    print(f"{name}: {out / name} ({run.metric})")


def _on_photographs(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return what differs where the models learn from photographs."""
    from vlmis_utils.training.photographs import load_photographs

    more: dict[str, Any] = {
        "data": (
            load_photographs(options.root, "train", seed=options.seed),
            load_photographs(
                options.root,
                "val",
                seed=options.seed,
                limit=_HELD_OUT if name in SEGMENTERS else None,
            ),
        ),
        "start": CHECKPOINTS,
        "work": options.work or Path("build") / options.data,
    }
    if name in SEGMENTERS:
        from vlmis_utils.training.recipes.train_segmenters import PHOTOGRAPH_RECIPES as recipes

        more["eval_every"] = 400
    else:
        from vlmis_utils.training.recipes.train_vlms import PHOTOGRAPH_RECIPES as recipes
    more["recipe"] = recipes[name]
    return more


if __name__ == "__main__":
    sys.exit(main())

"""Train the embedded checkpoints: ``python -m vlmis_utils.training.weights``, or `make weights`.

Interrupt it at any time: the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

from vlmis_utils.core.allocator import keep_freed_memory
from vlmis_utils.core.errors import RunError, UserError, closest
from vlmis_utils.training.data import SCENES

__all__ = ["MODELS", "main"]

SEGMENTERS: tuple[str, ...] = ("deeplabv3plus", "segformer", "mask2former")
VLMS: tuple[str, ...] = ("clip", "siglip", "qwen2-vl")
MODELS: tuple[str, ...] = SEGMENTERS + VLMS
CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"


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
    parser.add_argument(
        "--further", action="store_true", help="train the segmenters in --out on, not anew"
    )
    parser.add_argument(
        "--out", type=Path, default=CHECKPOINTS, help="default: checkpoints/ of the package"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train the models named, and return the exit code: 0 done, 1 failed, 2 misused."""
    options = _parser().parse_args(argv)
    try:
        names = tuple(options.only or MODELS)
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
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from the last saved step", file=sys.stderr)
        return 1
    return 0


def _train(name: str, options: argparse.Namespace) -> None:
    if name in SEGMENTERS:
        from vlmis_utils.training.recipes.train_segmenters import train_segmenter as train
    else:
        from vlmis_utils.training.recipes.train_vlms import train_vlm as train
    settings = {
        "out": options.out,
        "device": options.device,
        "minutes": options.minutes,
        "steps": options.steps,
        "scenes": options.scenes,
        "seed": options.seed,
        "further": options.further,
    }
    known = inspect.signature(train).parameters
    run = train(name, **{key: value for key, value in settings.items() if key in known})
    print(f"{name}: {options.out / name} ({getattr(run, 'metric', run)})")


if __name__ == "__main__":
    sys.exit(main())

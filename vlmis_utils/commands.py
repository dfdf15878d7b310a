"""Commands beside the run of a study: begin one, compare two, deposit one, convert a checkpoint."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from vlmis_utils.core.errors import UserError

__all__ = ["add_to"]

Keys = Callable[[], frozenset[str]]


def add_to(commands: argparse._SubParsersAction, page_keys: Keys) -> None:
    """Add the commands to those of the command line.

    Args:
        commands: of the parser.
        page_keys: gives the parameters that the pages declare.
    """
    _add_new(commands, page_keys)
    _add_compare(commands)
    _add_archive(commands, page_keys)
    _add_convert(commands)


def _add_new(commands: argparse._SubParsersAction, page_keys: Keys) -> None:
    command = commands.add_parser(
        "new", help="begin a study of your own: a commented parameter file with questions",
        description="Write params/NAME.yaml with every key explained, the values of another study, "
        "and a question above each key that only you can answer.",
    )  # fmt: skip
    command.add_argument("name", metavar="NAME", help="of the study, and of its folder in build/")
    command.add_argument("--from", dest="source", metavar="PARAMS",
                         default="params/streetworld.yaml",
                         help="parameter file to start from (params/streetworld.yaml)")  # fmt: skip
    command.set_defaults(action=lambda options: _new(options, page_keys))


def _new(options: argparse.Namespace, page_keys: Keys) -> None:
    from vlmis_utils.protocol.new_study import new_study

    begun = new_study(options.name, options.source, page_keys)
    print(f"{begun.path}: {len(begun.asked)} questions that only you can answer")
    for number, question in enumerate(begun.asked, 1):
        print(f"  {number}. {question}")


def _add_compare(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "compare", help="put two studies side by side, as a page",
        description="Parameters that differ, and findings that differ: tested in pairs where both "
        "studies hold the same pictures. Runs no model.",
    )  # fmt: skip
    for name in ("first", "second"):
        text = "folder of a study that has run, such as build/streetworld"
        command.add_argument(name, metavar=name.upper(), help=text)
    command.add_argument("--out", metavar="FOLDER", type=Path,
                         help="for the page (build/compare/FIRST-SECOND)")  # fmt: skip
    command.set_defaults(action=_compare)


def _compare(options: argparse.Namespace) -> None:
    from vlmis_utils.report.comparison import write_comparison

    print(write_comparison(Path(options.first), Path(options.second), options.out))


def _add_archive(commands: argparse._SubParsersAction, page_keys: Keys) -> None:
    command = commands.add_parser(
        "archive", help="write what to deposit for a DOI: records, parameters, lock, checksums",
        description="Write one ZIP file: records, parameters, model catalogue, lock and checksums "
        "of a study that has run. No image of a dataset, no weights.",
    )  # fmt: skip
    command.add_argument("params", metavar="PARAMS", help="parameter file, params/X.yaml")
    command.add_argument("-p", dest="overrides", nargs=2, action="append", default=[],
                         metavar=("KEY", "VALUE"), help="as the study ran with")  # fmt: skip
    command.add_argument("--out", metavar="FILE", type=Path, help="the ZIP file "
                         "(build/<study>/<study>-records.zip)")  # fmt: skip
    command.set_defaults(action=lambda options: _archive(options, page_keys))


def _archive(options: argparse.Namespace, page_keys: Keys) -> None:
    from vlmis_utils.protocol.parameters import load_study
    from vlmis_utils.records.archive import write_archive

    study = load_study(options.params, dict(options.overrides), page_keys)
    written = write_archive(study, options.out)
    print(f"{written.path}: {written.files} files, {written.size / 1e6:.1f} MB")


def _add_convert(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "convert", help="write a pickled checkpoint as safetensors",
        description="Write a pickled checkpoint as a folder of safetensors and configuration, to "
        "be named in params/models.yaml. Only tensors and numbers of it are read.",
    )  # fmt: skip
    command.set_defaults(action=_convert)
    command.add_argument("layout", metavar="LAYOUT", help="deeplabv3plus, the public .pth files "
                         "for Cityscapes, or transformers, with pytorch_model.bin")  # fmt: skip
    command.add_argument("source", metavar="SOURCE",
                         help="the .pth file; a folder or hub id for transformers")  # fmt: skip
    command.add_argument("out", metavar="OUT", help="folder to write; checkpoints/<hub id> is "
                         "found under the hub id")  # fmt: skip
    command.add_argument("--output-stride", type=int, default=16, choices=(8, 16),
                         help="that a DeepLabV3+ was trained for (16)")  # fmt: skip
    command.add_argument("--revision", help="of a hub id: commit, tag or branch")


def _convert(options: argparse.Namespace) -> None:
    from vlmis_utils.core.errors import closest
    from vlmis_utils.models import convert

    if options.layout == "deeplabv3plus":
        model = convert.convert_deeplab(options.source, options.out, options.output_stride)
        count = sum(p.numel() for p in model.parameters())
        what = f"DeepLabV3+, {model.config.backbone}, output stride {options.output_stride}"
    elif options.layout == "transformers":
        count = convert.convert_transformers(options.source, options.out, options.revision)
        what = str(options.source)
    else:
        layouts = ("deeplabv3plus", "transformers")
        raise UserError(f"unknown layout {options.layout!r}{closest(options.layout, layouts)}")
    print(f"{what}: {count / 1e6:.1f} million parameters in {options.out}")

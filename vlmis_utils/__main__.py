"""The command line: ``vlmis`` or ``python -m vlmis_utils``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence

from vlmis_utils import commands as commands_beside
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.core.formatting import capital
from vlmis_utils.core.progress import duration, say

__all__ = ["main"]

_DESCRIPTION = """\
Does segmentation quality predict how badly vision-language models go wrong?
A study degrades drive scenes, shows them to segmentation and vision-language
models, records every raw answer, and renders the findings as a book.
"""

_EXAMPLES = """\
examples:
  vlmis run params/streetworld.yaml               the whole study, then the book
  vlmis run params/streetworld.yaml -p top_k 5    again with K = 5: no model runs
  vlmis run params/streetworld.yaml --only 05-4   one page and what it needs
  vlmis show params/smoke.yaml                    what would run, what is recorded
  vlmis check params/cityscapes.yaml              what is missing, before any work
  vlmis new mine --from params/camvid.yaml        a study of your own, with questions
  vlmis compare build/a build/b                   two studies side by side, as a page
  vlmis archive params/streetworld.yaml           what to deposit for a DOI
  vlmis convert deeplabv3plus FILE.pth OUT/       a public checkpoint as safetensors

Interrupt a run whenever you like: the same command goes on where it stopped.
Exit codes: 0 done, 1 failed, 2 misused, 130 interrupted.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: the words after ``vlmis``; those of this process by default.
    """
    _tolerate_any_text()
    options = _parser().parse_args(argv)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # vlmis has its own
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return options.action(options) or 0
    except UserError as error:
        return _failed(error, 2, options.debug)
    except RunError as error:
        return _failed(error, 1, options.debug)
    except KeyboardInterrupt:
        say("interrupted: what is recorded is kept, run again to continue")
        return 130
    except BrokenPipeError:
        return 1
    finally:
        signal.signal(signal.SIGTERM, previous)


def _tolerate_any_text() -> None:
    """Let a console that lacks a character show a replacement instead of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _failed(error: Exception, code: int, debug: bool) -> int:
    if debug:
        raise error
    say(f"error: {error}")
    return code


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "vlmis", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=form
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        name: str, action: Callable[[argparse.Namespace], int | None], text: str, more: str
    ) -> None:
        command = commands.add_parser(name, help=text, description=f"{capital(text)}. {more}")
        command.set_defaults(action=action)
        command.add_argument("params", metavar="PARAMS", help="parameter file, params/X.yaml")
        command.add_argument(
            "-p", dest="overrides", nargs=2, action="append", default=[],
            metavar=("KEY", "VALUE"),
            help="override a parameter, such as -p top_k 3 or -p conditions clean,LL3; repeatable",
        )  # fmt: skip
        command.add_argument(
            "--device", metavar="DEVICE", help="short for -p device DEVICE: auto, cpu, cuda, cuda:1"
        )
        if name in ("run", "book"):
            command.add_argument(
                "--only", metavar="PAGE", help="one page and what it needs, by the start of its "
                "name, such as 05-4; the others stay as they are",
            )  # fmt: skip
        if name == "run":
            command.add_argument("--no-book", action="store_true", help="stop when all is recorded")
            command.add_argument(
                "--max-requests", metavar="N", help="short for -p max_requests N: stop before "
                "hosted models are asked more often, all of the study together",
            )  # fmt: skip
            command.add_argument(
                "--max-cost", metavar="USD", help="short for -p max_cost USD: stop before hosted "
                "models cost more US dollars, likewise",
            )  # fmt: skip

    add("run", _run, "run a study, then build its book",
        "Only what is not yet recorded is computed. All of it goes to build/.")  # fmt: skip
    add("book", _book, "build the book from what is recorded",
        "Runs pages that changed, never a model of the study.")  # fmt: skip
    add("show", _show, "show what a study would run, and what is already recorded",
        "Computes nothing.")  # fmt: skip
    add("check", _check, "look for all that a study needs and say what is missing, with remedies",
        "Computes and downloads nothing; exit code 2 if the study could not run.")  # fmt: skip
    add("keep", _keep, "put the records of a study under book/measured/, to be committed",
        "For photographs that may not be passed on: no pixels, no paths.")  # fmt: skip
    commands_beside.add_to(commands, _keys)
    for command in commands.choices.values():
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _keys() -> frozenset[str]:
    from vlmis_utils.report.pages import page_keys

    return page_keys()


def _overrides(options: argparse.Namespace) -> dict[str, object]:
    overrides = dict(options.overrides)
    if options.device:
        overrides["device"] = options.device
    for key in ("max_requests", "max_cost"):
        if getattr(options, key, None) is not None:
            overrides[key] = getattr(options, key)
    return overrides


def _study(options: argparse.Namespace):
    from vlmis_utils.protocol.parameters import load_study

    return load_study(options.params, _overrides(options), _keys)


def _check(options: argparse.Namespace) -> int:
    from vlmis_utils.runner.preflight import check

    findings = check.check_file(options.params, _overrides(options), _keys)
    print(check.report(findings))
    return 2 if check.failed(findings) else 0


def _run(options: argparse.Namespace) -> None:
    study = _study(options)
    start = time.perf_counter()
    from vlmis_utils.protocol.companion import studies_of
    from vlmis_utils.records.lock import locked
    from vlmis_utils.runner import adopt, run

    tables = None
    if options.only:
        from vlmis_utils.report.pages import find_pages, select

        tables = {table for page in select(find_pages(), options.only) for table in page.needs}
    with locked((study.folder, study.store), study.study):
        for one in studies_of(study):
            adopt.adopt(one) or run.run(one, tables=tables)
        if not options.no_book:
            _pages(study, options.only)
    say(f"done in {duration(time.perf_counter() - start)}")


def _book(options: argparse.Namespace) -> None:
    from vlmis_utils.records.lock import locked

    study = _study(options)
    with locked((study.folder, study.store), study.study):
        _pages(study, options.only)


def _pages(study, only: str | None) -> None:
    from vlmis_utils.report import book, execution

    execution.execute(study, execution.chosen_pages(study, only))
    print(book.build(study))


def _show(options: argparse.Namespace) -> None:
    from vlmis_utils.protocol.companion import studies_of
    from vlmis_utils.runner import adopt, plan, run

    for study in studies_of(_study(options)):
        kept = adopt.kept_records(study)
        words = adopt.kept_words(kept) if kept else plan.described(study, run.plan(study))
        print(words)


def _keep(options: argparse.Namespace) -> None:
    from vlmis_utils.analysis.worlds import keep_summaries
    from vlmis_utils.records import kept

    folder = kept.keep(_study(options))
    keep_summaries(folder)
    print(folder)


if __name__ == "__main__":
    sys.exit(main())

"""The command line. Imports nothing heavy, so that it starts at once."""

from __future__ import annotations

import argparse
import io
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines.cli.faults import told_of
from pipelines.core.project import enter_root

AddCommand = Callable[[str, str, str], argparse.ArgumentParser]  # name, help, example

STAGE_HELP = {
    "prepare": "fetch or read the data, split them, write a data card",
    "train": "fit the model; an interrupted fit goes on from its last epoch",
    "predict": "apply the model to validation and test data",
    "evaluate": "score the predictions against baselines, with intervals",
    "explain": "show what the model has learnt, with a control that must fail",
    "report": "write one self-contained page about the domain",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 on success, 2 after a mistake of the user's, told in one line."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may hold bytes that are no text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(options)
        if sys.stdout is not None:  # closed by who has started this
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _complain("interrupted; the same command goes on from the last finished epoch")
    except Exception as error:
        if _unheard() and isinstance(error, BrokenPipeError):  # as of `scistage doctor | head`
            return 128 + signal.SIGPIPE
        told = told_of(error)
        if told is None:
            raise
        return _complain(told)


def _unheard() -> bool:
    """Whether what is printed can no longer be written; then what is left of it is dropped."""
    try:
        poll, output = select.poll(), sys.stdout.fileno()
    except (AttributeError, io.UnsupportedOperation):  # closed, or no file
        return False
    poll.register(output, 0)
    broken = any(event & select.POLLERR for _, event in poll.poll(0))
    try:
        sys.stdout.flush()
    except OSError:
        broken = True
    if broken:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return broken


def _complain(message: str) -> int:
    print(f"scistage: {message}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scistage",
        description="Deep-learning pipelines for science, from raw data to a report.\n"
        "example: scistage repro segmentation",  # not at the end: it all must fit a screen
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help_text: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=help_text,
            description=f"{help_text[0].upper()}{help_text[1:]}.",
            epilog=f"example: scistage {example}",
        )

    _add_running(command)
    _add_keeping(command)
    return parser


def _add_running(command: AddCommand) -> None:
    """The commands that run stages or a trained model."""
    repro = command("repro", "bring domains up to date, from data to report", "repro --jobs 2")
    _add_domains(repro)
    repro.add_argument("--force", action="store_true", help="run every stage, up to date or not")
    repro.add_argument("--jobs", type=int, default=1, metavar="N", help="domains at a time")
    for stage, text in STAGE_HELP.items():
        _add_domain(command(stage, text, f"{stage} segmentation"))
    apply = command(
        "apply",
        "apply a trained model to your files, or have it write new data",
        "apply segmentation slide.tif -o out",
    )
    apply.usage = "scistage apply DOMAIN [FILE|FOLDER ...] [OPTION ...] -o OUT"
    _add_domain(apply)
    apply.add_argument(  # a domain has options of its own, which are not known before it is read
        "arguments",
        nargs=argparse.REMAINDER,
        metavar="...",
        help="`scistage apply DOMAIN --help` lists what the domain takes",
    )
    apply.add_argument("-o", "--out", help="where to write: a folder, or a file for new data")
    export = command(
        "export",
        "write a trained model as ONNX, to be run without PyTorch",
        "export segmentation -o model",
    )
    _add_domain(export)
    export.add_argument("-o", "--out", required=True, help="folder to write to")


def _add_keeping(command: AddCommand) -> None:
    """The commands that set up, look after and check a project."""
    preset = command(
        "preset",
        "write a preset of a domain into params.yaml, comments kept",
        "preset segmentation full",
    )
    _add_domain(preset)
    preset.add_argument("name", nargs="?", help="preset; without it, list them")
    new = command("new", "add a domain: a small complete one to start from", "new raman")
    new.add_argument("name", help="lower-case name of the domain, and of its folder")
    check = command("check", "check all parameters and sources, in seconds", "check segmentation")
    _add_domains(check)
    check.add_argument(
        "--lock",
        action="store_true",
        help="instead, hold dvc.lock against the code, parameters and metrics that are here",
    )
    verify = command("verify", "rerun from nothing elsewhere and compare every output", "verify")
    _add_domains(verify)
    command("doctor", "show versions, accelerator, threads and paths", "doctor")


def _add_domain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN", help="such as segmentation")


def _add_domains(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="default: all")


def _dispatch(options: argparse.Namespace) -> int:
    here = Path.cwd()
    enter_root()
    sys.path.insert(0, str(Path.cwd()))  # this project's domains, wherever scistage came from
    if options.command in STAGE_HELP:
        return _run_stage(options.command, options.domain)
    if options.command == "repro":
        from pipelines.cli.repro import repro

        return repro(options.domains, options.force, options.jobs)
    if options.command == "apply":
        from pipelines.cli.apply import apply

        out = [] if options.out is None else ["-o", options.out]
        return apply(options.domain, [*out, *options.arguments], here)
    if options.command == "export":
        from pipelines.cli.export import export

        return export(options.domain, here / options.out)
    if options.command == "preset":
        from pipelines.cli.preset import list_presets, write_preset

        domain, name = options.domain, options.name
        return list_presets(domain) if name is None else write_preset(domain, name)
    if options.command == "new":
        from pipelines.cli.new import new

        return new(options.name)
    if options.command == "check":
        from pipelines.cli.check import check

        return check(options.domains, options.lock)
    if options.command == "verify":
        from pipelines.cli.verify import verify

        return verify(options.domains)
    from pipelines.cli.doctor import doctor

    return doctor()


def _run_stage(stage: str, domain: str) -> int:
    from pipelines.cli.check import require_domain
    from pipelines.core.runner import run_stage

    require_domain(domain)
    run_stage(stage, domain)
    return 0

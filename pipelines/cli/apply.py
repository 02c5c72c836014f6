"""`scistage apply`: a trained model on the user's own files, or writing new data.

What a domain does is in its `predict/apply.py`, which is one of three kinds. It reads files:

    SUFFIXES: tuple[str, ...]                                    # lower case, such as ".tif"
    TABLE: str                                                   # the table that it writes
    def apply(inputs: Inputs, files: list[Path], out: Path)      # write into the folder `out`

or it generates, reads no files and writes one table:

    def add_options(parser: argparse.ArgumentParser)             # `parser.epilog` is the example
    def generate(inputs: Inputs, options: argparse.Namespace, out: Path)   # write the file `out`

or it transforms, reads one table, `options.table`, and writes one:

    def add_options(parser: argparse.ArgumentParser)
    def transform(inputs: Inputs, options: argparse.Namespace, out: Path)  # write the file `out`
"""

from __future__ import annotations

import argparse
from os.path import realpath  # Path.resolve raises for a link that leads back to itself
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from pipelines.cli.check import require_domain
from pipelines.cli.lockfile import require_as_recorded
from pipelines.cli.trained import part_of, partial_folder
from pipelines.core.artifacts import is_text
from pipelines.core.environment import prepare_process
from pipelines.core.errors import UserError
from pipelines.core.runner import inputs_of, require_outputs

SHOWN = 10  # names of a folder's files that are not read


def apply(domain: str, arguments: list[str], here: Path) -> int:
    """Do what the domain does with its arguments; paths in them are relative to `here`."""
    require_domain(domain)
    prepare_process()
    module = part_of(domain, "apply", "cannot be applied to files")
    options = _parsed(domain, module, arguments, here)
    require_outputs(domain, ("train", "predict"))
    require_as_recorded(domain)
    out = options.out
    del options.out
    if _reads_files(module):
        return _read_files(module, domain, options.files, out)
    return _write_table(module, domain, options, out)


def _reads_files(module: ModuleType) -> bool:
    return hasattr(module, "apply")


def _transforms(module: ModuleType) -> bool:
    return hasattr(module, "transform")


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line, where argparse would print the usage too."""

    def error(self, message: str) -> NoReturn:
        """Raise UserError."""
        what = self.prog.removeprefix("scistage ")
        raise UserError(f"{what}: {message}; see `{self.prog} --help`")


def _parsed(
    domain: str, module: ModuleType, arguments: list[str], here: Path
) -> argparse.Namespace:
    """The arguments after the domain's name: `out`, and `files` or the domain's own options."""
    call = f"scistage apply {domain}"
    parser = _Parser(prog=call, description=module.__doc__, allow_abbrev=False)
    if _transforms(module):
        kind, out_help = "it takes one table and options", "CSV file to write"
        parser.epilog = f"example: {call} mine.csv -o out.csv"
        parser.add_argument("table", type=here.joinpath, metavar="TABLE", help="what to read")
        module.add_options(parser)
    elif not _reads_files(module):
        kind, out_help = "it takes options and no files", "CSV file to write"
        parser.epilog = f"example: {call} -o new.csv"
        module.add_options(parser)
    else:
        kind, out_help = "it takes files and no options but -o", "folder to write to"
        parser.epilog = f"example: {call} mine{module.SUFFIXES[0]} -o out"
        parser.add_argument(
            "files",
            nargs="+",
            type=here.joinpath,
            metavar="FILE|FOLDER",
            help=f"what to read, of type {', '.join(module.SUFFIXES)}",
        )
    parser.add_argument("-o", "--out", type=here.joinpath, required=True, help=out_help)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(f"{unknown[0]!r} is not understood: {kind}")
    return options


def _write_table(module: ModuleType, domain: str, options: argparse.Namespace, out: Path) -> int:
    """Have the domain write the file `out`, all of it or nothing."""
    if out.is_dir():
        raise UserError(f"{out}: is a folder; name a file to write, such as {out / 'new.csv'}")
    if out.suffix.lower() != ".csv":
        raise UserError(f"{out}: a CSV file is written; give it a name that ends in .csv")
    if _transforms(module) and realpath(out) == realpath(options.table):
        raise UserError(f"{out}: is what is read; name another file to write")
    write = module.transform if _transforms(module) else module.generate
    with partial_folder(out.parent) as folder:
        partial = folder / out.name
        write(inputs_of(domain), options, partial)
        partial.replace(out)
    print(f"{out} written")
    return 0


def _read_files(module: ModuleType, domain: str, paths: list[Path], out: Path) -> int:
    """Write what the model says of each file into the folder `out`, all of it or nothing."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; name a folder to write to")
    if (out / module.TABLE).exists():
        raise UserError(
            f"{out / module.TABLE}: is there already; name another -o folder, or move it away"
        )
    files = _files(paths, module.SUFFIXES, out)
    if out.is_dir() and any(file.parent.samefile(out) for file in files):
        raise UserError(f"{out}: is the folder of what is to be read; name another -o folder")
    with partial_folder(out) as partial:
        module.apply(inputs_of(domain), files, partial)
        written = sorted(partial.iterdir())
        inputs = set(map(realpath, files))
        for target in (out / path.name for path in written):
            if realpath(target) in inputs:
                raise UserError(f"{target}: would overwrite what was read; name another -o folder")
            if target.is_dir():
                raise UserError(f"{target}: is a folder where a file is to be written; move it")
        for path in written:
            path.replace(out / path.name)
    print(f"{len(files)} files read, {len(written)} written to {out}")
    return 0


def _files(paths: list[Path], suffixes: tuple[str, ...], out: Path) -> list[Path]:
    """The files named, and of folders those that the domain can read; says what is left out."""
    files = []
    for path in paths:
        if path.is_dir():
            seen = sorted(f for f in path.iterdir() if f.name[0] != "." and f != out)
            inside = [f for f in seen if f.is_file() and f.name.lower().endswith(suffixes)]
            if not inside:
                raise UserError(f"{path}: holds no file of type {', '.join(suffixes)}")
            others = [f"{f.name}/" if f.is_dir() else f.name for f in sorted({*seen} - {*inside})]
            if others:
                more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
                print(f"{path}: not read: {', '.join(others[:SHOWN])}{more}")
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise UserError(f"{path}: not found; name a file or folder")
    for file in files:
        if not is_text(file.name):
            raise UserError(f"{file}: its name is not UTF-8, and tables name it; rename it")
    files = list({realpath(file): file for file in files}.values())
    _require_distinct(files, suffixes)
    return files


def _require_distinct(files: list[Path], suffixes: tuple[str, ...]) -> None:
    """What is written is named by the stem of what was read."""
    seen: dict[str, Path] = {}
    for file in files:
        suffix = next((s for s in suffixes if file.name.lower().endswith(s)), file.suffix)
        stem = file.name[: len(file.name) - len(suffix)]
        first = seen.setdefault(stem, file)
        if first != file:
            raise UserError(
                f"{file}: {first} has the stem {stem} too, and what is written could not be told "
                "apart; rename one, or write to two folders"
            )

"""`scistage apply`: a trained model on the user's own files."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

from pipelines.cli.check import require_domain
from pipelines.core.environment import prepare_process
from pipelines.core.errors import UserError
from pipelines.core.runner import inputs_of, require_outputs

SHOWN = 10  # names of a folder's files that are not read


def apply(domain: str, paths: list[Path], out: Path) -> int:
    """Write what the model says of each file into `out`, all of it or nothing."""
    require_domain(domain)
    prepare_process()
    require_outputs(domain, ("train", "predict"))
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; name a folder to write to")
    try:
        module = importlib.import_module(f"domains.{domain}.predict.apply")
    except ModuleNotFoundError as error:
        if error.name != f"domains.{domain}.predict.apply":
            raise
        raise UserError(
            f"{domain}: cannot be applied to files; it has no predict/apply.py"
        ) from None
    files = _files(paths, module.SUFFIXES, out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".partial-") as partial:
        module.apply(inputs_of(domain), files, Path(partial))
        written = sorted(Path(partial).iterdir())
        inputs = {file.resolve() for file in files}
        for target in (out / path.name for path in written):
            if target.resolve() in inputs:
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
    return list({file.resolve(): file for file in files}.values())

"""`dvc.lock` and DVC's own lock: canonical order, what differs, what a kill left behind."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.cli.dvc import ask_dvc, require_repository
from pipelines.core.contract import STAGES
from pipelines.core.errors import UserError
from pipelines.core.params import listed_domains, read_yaml
from pipelines.core.project import LOCK_FILE, OUTPUTS, WORK

RWLOCK = Path(".dvc/tmp/rwlock")
KEPT = WORK / LOCK_FILE.name
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


def write_canonical_lock() -> None:
    """Order `dvc.lock` by domain and stage: DVC's own order is that of running."""
    if LOCK_FILE.exists():
        _write(read_yaml(LOCK_FILE).get("stages", {}))


def _write(stages: dict[str, Any]) -> None:
    known = {name: stages[name] for name in _listed() if name in stages}
    known |= {name: stages[name] for name in sorted(stages) if name not in known}
    yaml = YAML()
    yaml.default_flow_style = False
    stream = StringIO()
    yaml.dump({"schema": "2.0", "stages": _plain(known)}, stream)
    _put(stream.getvalue(), LOCK_FILE)


def _put(text: str, path: Path) -> None:
    """Write a file that is whole at every moment, if it says something else."""
    if not path.exists() or text.encode() != path.read_bytes():
        part = path.with_suffix(".lock.part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)


def _listed() -> list[str]:
    return [f"{stage}@{domain}" for domain in listed_domains() for stage in STAGES]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _recorded() -> dict[str, Any]:
    return read_yaml(LOCK_FILE).get("stages", {}) if LOCK_FILE.exists() else {}


def recorded_stages(domains: list[str]) -> list[str]:
    """The stages of these domains of which `dvc.lock` knows outputs."""
    return [name for name in _recorded() if name.partition("@")[2] in domains]


def require_as_recorded(domain: str) -> None:
    """Raise UserError where `train` has left other files than `dvc.lock` knows of.

    Of a domain that was never recorded they may be anything.
    """
    if not LOCK_FILE.exists():
        return
    stages, stage = _whole_stages(LOCK_FILE), f"train@{domain}"
    if stages is None:
        raise UserError(f"{LOCK_FILE}: damaged; run `scistage repro`")
    for out in stages.get(stage, {}).get("outs", []):
        path, known = Path(out["path"]), out["md5"]
        if path.is_file() and (found := hashlib.md5(path.read_bytes()).hexdigest()) != known:
            raise UserError(
                f"{path}: found MD5 {found}, {LOCK_FILE} records {known}; `scistage repro "
                f"{domain}` puts files and record in order (after `dvc commit --force {stage}`: "
                "with the file as it is)"
            )


def prefer_recorded(domains: list[str]) -> None:
    """Have DVC's cache of runs bring back what `dvc.lock` says now.

    Of runs with the same inputs DVC restores that with the newest record. A forced run that gives
    what an earlier one gave, as with other threads or processes, leaves that one's record old.
    """
    runs = Path(ask_dvc("cache", "dir").strip(), "runs")
    recorded = _recorded()
    for record in sorted(runs.glob("*/*/*")):
        text = record.read_text(encoding="utf-8", errors="replace")
        for name, entry in recorded.items():
            hashes = (str(file["md5"]) for key in ("deps", "outs") for file in entry.get(key, []))
            chosen = name.partition("@")[2] in domains and entry["cmd"] in text
            if chosen and all(md5 in text for md5 in hashes):
                with suppress(PermissionError):  # of another user of the same cache
                    os.utime(record)


def mend_rwlock() -> None:
    """Remove `.dvc/tmp/rwlock` if a kill left it behind and no live DVC stands in it.

    DVC stops on a truncated file, and on an entry whose process is a zombie or whose number has
    gone to another program. It writes the file only while it holds `rwlock.lock`; under the same
    lock we see either a whole file or the remains of a dead process's.
    """
    if not RWLOCK.exists():
        return
    with RWLOCK.with_suffix(".lock").open("a") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # a live DVC is at work on it
        if not any(_is_live_dvc(pid) for pid in _holders()):
            RWLOCK.unlink()


def _holders() -> list[int]:
    try:
        lock = json.loads(RWLOCK.read_text(encoding="utf-8"))
        readers = [info for infos in lock.get("read", {}).values() for info in infos]
        return [int(info["pid"]) for info in [*lock.get("write", {}).values(), *readers]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []  # truncated


def _is_live_dvc(pid: int) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        words = process.cmdline()  # of a zombie: none
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
    return any("dvc" in word for word in words)


def keep_lock() -> None:
    """Keep a copy of what `dvc.lock` says, for `mend_lock`."""
    if LOCK_FILE.exists():
        KEPT.parent.mkdir(exist_ok=True)
        _put(LOCK_FILE.read_text(encoding="utf-8"), KEPT)


def mend_lock() -> None:
    """Put back into `dvc.lock` what it said of stages before a kill cut it short.

    DVC stops on half a file, and of one cut between stages it forgets those behind the cut. Of
    stages that have run since the copy was made, DVC takes the outputs from its cache.

    Raises:
        UserError: the file is one of a merge that is not resolved.
    """
    if not LOCK_FILE.exists():
        return
    if KEPT.exists() and KEPT.read_bytes() == LOCK_FILE.read_bytes():
        return  # as it most often is; to read both takes half a second
    if "\n<<<<<<<" in f"\n{LOCK_FILE.read_text(encoding='utf-8', errors='replace')}":
        raise UserError(
            f"{LOCK_FILE}: holds both sides of a merge; take one: `git checkout --ours {LOCK_FILE}`"
        )
    stages, before = _whole_stages(LOCK_FILE), _whole_stages(KEPT) or {}
    cut = [name for name in _listed() if name in before and name not in (stages or {})]
    if cut or stages is None:
        print(f"{LOCK_FILE}: cut short, as by an interrupted run: it is put right")
    if cut:
        _write((stages or {}) | {name: before[name] for name in cut})
    elif stages is None:
        LOCK_FILE.unlink()


def is_whole(lock: Path) -> bool:
    """Whether every entry of our stages has its command and outputs, and each of these a hash."""
    return _whole_stages(lock) is not None


def _whole_stages(lock: Path) -> dict[str, Any] | None:
    """The entries of a lock file by stage; None if it is not whole."""
    try:
        stages: dict[str, Any] = read_yaml(lock)["stages"]
        ended = lock.read_text(encoding="utf-8").endswith("\n")  # else of a number, some digits
        # A stage of the user's own may have no outputs.
        entries = [e for name, e in stages.items() if name.partition("@")[0] in STAGES]
        files = [file for e in entries for file in [*e.get("deps", []), *e["outs"]]]
        complete = all(isinstance(e["cmd"], str) and e["outs"] for e in entries)
        hashed = all(
            file["hash"] == "md5" and _MD5.fullmatch(str(file["md5"])) and None not in file.values()
            for file in files
        )
        return stages if ended and complete and hashed else None
    except (UserError, KeyError, TypeError, AttributeError):
        return None


def lock_differences() -> list[str]:
    """One line for each code file, parameter or metric that is not the one in `dvc.lock`.

    Outputs in DVC's cache are not looked at: a fresh clone has none.
    """
    if LOCK_FILE.exists() and not is_whole(LOCK_FILE):
        raise UserError(f"{LOCK_FILE}: damaged; run `scistage repro`")
    require_repository()
    lines = []
    for stage, entries in json.loads(ask_dvc("status", "--json")).items():
        lines += [f"{stage}: {what}" for what in entries if what == "changed command"]
        for kind, changes in ((k, v) for e in entries if isinstance(e, dict) for k, v in e.items()):
            for path, what in changes.items() if isinstance(changes, dict) else [(changes, "")]:
                if _is_published(path, kind):
                    lines.append(f"{stage}: {kind}: {path}: {json.dumps(what)}")
    lines += [f"{name}: not in dvc.lock" for name in sorted({*_listed()} - {*_recorded()})]
    return lines


def _is_published(path: str, kind: str) -> bool:
    """Whether git, not DVC's cache, holds this file."""
    if not path.startswith(f"{OUTPUTS}/"):
        return True
    return kind == "changed outs" and Path(path).name in {"metrics.json", "scores.csv"}

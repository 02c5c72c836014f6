"""`scistage check`: parameters and sources, before anything is run or deleted."""

from __future__ import annotations

import importlib

from pipelines.cli.lockfile import lock_differences
from pipelines.core.contract import STAGES
from pipelines.core.environment import prepare_process
from pipelines.core.errors import UserError
from pipelines.core.params import listed_domains, load_params, read_params
from pipelines.core.project import PARAMS

Files = dict[str, str]


def check(domains: list[str], lock: bool) -> int:
    """Print one line a domain, or raise UserError for the first mistake."""
    if lock:
        return _check_lock()
    for domain, files in check_domains(chosen_domains(domains)).items():
        print(f"{domain}: parameters and source are valid ({len(files)} source files)")
    return 0


def check_domains(domains: list[str]) -> dict[str, Files]:
    """Validate these domains; the files (and SHA-256) that each one's `prepare` would read."""
    prepare_process()
    _refuse_unknown_sections()
    return {domain: check_domain(domain) for domain in domains}


def check_domain(domain: str) -> Files:
    """Validate one domain's parameters and source, fetching what is not in the cache."""
    params = {stage: load_params(domain, stage) for stage in STAGES}
    _refuse_unknown_stages(domain)
    where = f"domains.{domain}.prepare.check"
    try:
        module = importlib.import_module(where)
    except ModuleNotFoundError as error:
        if error.name != where:
            raise
        raise UserError(
            f"{where}: not found; write it with `check(params)`, as `scistage new` does"
        ) from None
    files: Files = module.check(params["prepare"])
    return files


def chosen_domains(domains: list[str]) -> list[str]:
    """These domains, each known, in the order of `params.yaml`; all if none is named."""
    for domain in domains:
        require_domain(domain)
    return [name for name in listed_domains() if not domains or name in domains]


def require_domain(domain: str) -> None:
    """Raise UserError unless `params.yaml` lists the domain."""
    known = listed_domains()
    if domain not in known:
        raise UserError(f"no domain {domain!r}; {PARAMS} lists: {', '.join(known)}")


def _refuse_unknown_sections() -> None:
    known = {"domains", *listed_domains()}
    for section in read_params():
        if section not in known:
            raise UserError(
                f"{PARAMS}: {section}: unknown section; list it in domains or remove it"
            )


def _refuse_unknown_stages(domain: str) -> None:
    for stage in read_params()[domain]:
        if stage not in STAGES:
            known = ", ".join(STAGES)
            raise UserError(f"{PARAMS}: {domain}.{stage}: no such stage; stages are: {known}")


def _check_lock() -> int:
    differences = lock_differences()
    for line in differences:
        print(line)
    if differences:
        raise UserError("dvc.lock does not belong to this code; run `make repro` and commit both")
    print("dvc.lock belongs to this code, these parameters and these metrics")
    return 0

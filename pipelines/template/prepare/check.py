"""What `scistage check` asks of this domain's source."""

from __future__ import annotations

from .params import PrepareParams


def check(params: PrepareParams) -> dict[str, str]:
    """The files that `prepare` would read, name to SHA-256; generated data have none."""
    return {}

"""The overview of all domains; written outside DVC, from what the report stages have written."""

import base64
import os
from pathlib import Path
from typing import Any

from pipelines.core.artifacts import read_json
from pipelines.core.params import listed_domains
from pipelines.core.project import OUTPUTS
from pipelines.report.rendering import render


def write_overview(outputs: Path, domains: list[str]) -> Path:
    """Write `outputs`/index.html with a card per domain, in order; a domain not yet run says so.

    Reads summary.json and thumbnail.png of each domain's report. Returns the page's path.
    """
    cards = [_card(outputs / domain / "report", domain) for domain in domains]
    path = outputs / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".index.{os.getpid()}.part")  # others may be writing it, too
    part.write_bytes(render("overview.html", {"cards": cards}).encode())
    part.replace(path)
    return path


def refresh() -> list[str]:
    """Write the overview of all domains that have a page; their names."""
    done = [d for d in listed_domains() if (OUTPUTS / d / "report" / "index.html").is_file()]
    write_overview(OUTPUTS, done)
    return done


def _card(report: Path, domain: str) -> dict[str, Any]:
    if not (report / "summary.json").is_file() or not (report / "index.html").is_file():
        return {"domain": domain, "summary": None, "thumbnail": ""}
    image, address = report / "thumbnail.png", ""
    if image.is_file():
        address = "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode("ascii")
    return {"domain": domain, "summary": read_json(report / "summary.json"), "thumbnail": address}

"""The overview of all domains; written outside DVC, from what the report stages have written."""

import base64
from pathlib import Path
from typing import Any

from pipelines.core.artifacts import read_json
from pipelines.report.rendering import render


def write_overview(outputs: Path, domains: list[str]) -> Path:
    """Write `outputs`/index.html with a card per domain, in order; a domain not yet run says so.

    Reads summary.json and thumbnail.png of each domain's report. Returns the page's path.
    """
    cards = [_card(outputs / domain / "report", domain) for domain in domains]
    path = outputs / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(render("overview.html", {"cards": cards}).encode())
    return path


def _card(report: Path, domain: str) -> dict[str, Any]:
    if not (report / "summary.json").is_file() or not (report / "index.html").is_file():
        return {"domain": domain, "summary": None, "thumbnail": ""}
    image, address = report / "thumbnail.png", ""
    if image.is_file():
        address = "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode("ascii")
    return {"domain": domain, "summary": read_json(report / "summary.json"), "thumbnail": address}

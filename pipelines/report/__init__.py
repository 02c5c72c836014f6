"""The report stage: one self-contained page per domain, made from the other stages' artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.artifacts import write_json

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs
    from pipelines.report.params import ReportParams


def report(params: ReportParams, inputs: Inputs, out: Path) -> None:
    """Write `index.html`, which works offline, and what the overview of all domains needs.

    Reads the folders of prepare, train, evaluate and explain. Writes into `out`:
    index.html (images, style and script inline), summary.json (title, description and
    headline numbers as text) and, if explain made a figure, thumbnail.png (at most 640 px wide).

    Raises UserError if evaluate has not scored the model, or if explain.json names a figure that is
    not there.
    """
    from pipelines.report.figures import thumbnail
    from pipelines.report.page import build_page, summarise
    from pipelines.report.rendering import render

    page = build_page(params, inputs)
    (out / "index.html").write_bytes(render("template.html", page).encode())
    write_json(out / "summary.json", summarise(page))
    if page["examples"]:
        (out / "thumbnail.png").write_bytes(thumbnail(page["examples"].png))

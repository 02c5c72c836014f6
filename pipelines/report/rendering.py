"""From content to HTML; light enough for the command line."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.report.formatting import label, number, plain


def render(template: str, content: dict[str, Any]) -> str:
    """The page as text; every value is escaped, a missing one is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(label=label, number=number, plain=plain)
    return environment.get_template(template).render(content)

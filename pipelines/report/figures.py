"""Images inside the page: PNG files as data addresses, with size, caption and alternative text."""

import base64
import io
import struct
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.artifacts import read_json
from pipelines.core.errors import UserError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Figure:
    """A PNG with what a reader needs beside it. `alt` is for those who do not see it."""

    png: bytes
    alt: str
    title: str = ""
    caption: str = ""

    @property
    def address(self) -> str:
        """The image itself as a data address, so that the page needs no other file."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in CSS pixels: figures are drawn at 150 dpi, a page has 96."""
        width, height = struct.unpack(">II", self.png[16:24])
        return round(width * 96 / 150), round(height * 96 / 150)


def read_png(path: Path, field: str) -> bytes:
    """The bytes of a PNG file; UserError, naming `field`, if it is none."""
    if not path.is_file():
        raise UserError(f"{field}: found no file {path.name} beside it; write it or drop the entry")
    png = path.read_bytes()
    if not png.startswith(_SIGNATURE) or len(png) < 24:
        raise UserError(f"{field}: {path.name} is not a PNG file; save the figure as PNG")
    return png


def explained(folder: Path) -> tuple[list[Figure], dict[str, object]]:
    """The figures and findings of explain.json; nothing if there is no such file."""
    if not (folder / "explain.json").is_file():
        return [], {}
    content = read_json(folder / "explain.json")
    figures = []
    for index, entry in enumerate(content.get("figures", [])):
        name = Path(entry["file"]).name
        png = read_png(folder / name, f"explain/explain.json, figures[{index}].file")
        title, caption = entry.get("title", ""), entry.get("caption", "")
        figures.append(Figure(png, title or caption or name, title, caption))
    return figures, content.get("findings", {})


def thumbnail(png: bytes, width: int = 640) -> bytes:
    """The image at most `width` pixels wide, as PNG."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("RGBA")
    small.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
    white = Image.new("RGBA", small.size, "white")
    white.alpha_composite(small)
    out = io.BytesIO()
    white.convert("RGB").save(out, "PNG", optimize=True)
    return out.getvalue()

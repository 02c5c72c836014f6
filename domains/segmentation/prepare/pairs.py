"""Which image belongs to which mask: the same path in images/ and masks/, but for the suffix."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.artifacts import is_text
from pipelines.core.errors import UserError

from .reading import SUFFIXES, stem_of, suffix_of


@dataclass(frozen=True)
class Pair:
    """An image with its mask. `file`: the image's path inside images/, as groups.csv names it."""

    file: str
    image: Path
    mask: Path

    @property
    def name(self) -> str:
        """The path inside images/ without suffix, as one file name: `patient1/a.png`, patient1-a.

        >>> Pair("patient1/a.png", Path("i"), Path("m")).name
        'patient1-a'
        """
        path = Path(self.file)
        return path.with_name(stem_of(path)).as_posix().replace("/", "-")

    @property
    def subfolder(self) -> str | None:
        """The topmost folder inside images/ that the image lies in."""
        return self.file.split("/")[0] if "/" in self.file else None


def find_pairs(folder: Path) -> list[Pair]:
    """Images with their masks, sorted by path. Raises UserError if one lacks its other."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; set prepare.path to a folder with images/")
    images, masks = (_by_stem(folder / name) for name in ("images", "masks"))
    if not images:
        raise UserError(
            f"{folder}/images: holds no file of type {', '.join(SUFFIXES)}; put the images there"
        )
    lonely = sorted(images.keys() ^ masks.keys())
    if lonely:
        stem = lonely[0]
        there = "masks" if stem in images else "images"
        found = (images if stem in images else masks)[stem]
        more = f" (and {len(lonely) - 1} more files)" if len(lonely) > 1 else ""
        raise UserError(f"{found}: no {stem}.png or the like in {there}/, add it{more}")
    root = folder / "images"
    return [
        Pair(images[stem].relative_to(root).as_posix(), images[stem], masks[stem])
        for stem in sorted(images)
    ]


# Pictures that are not read, which nobody means to leave out.
_OTHER = {".bmp", ".gif", ".webp", ".heic", ".jp2", ".npy", ".nrrd", ".mha", ".mhd"}
_OTHER |= {".czi", ".nd2", ".lif", ".svs", ".ndpi"}


def _by_stem(folder: Path) -> dict[str, Path]:
    """Path inside the folder without suffix → path, for all files that can be read."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; images/ and masks/ are needed")
    found: dict[str, Path] = {}
    for path in _files(folder, [_real(folder)]):
        stem = path.relative_to(folder).with_name(stem_of(path)).as_posix()
        if stem in found:
            raise UserError(f"{path}: {found[stem].name} has the same stem; rename one")
        found[stem] = path
    return found


def _files(folder: Path, above: list[Path]) -> list[Path]:
    """All files that can be read in a folder and its subfolders, links followed.

    above: the folders that lead here, to find a link that leads back.
    """
    files = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        real = _real(path)
        if path.is_dir():
            if any(one.is_relative_to(real) for one in above):
                raise UserError(f"{path}: a link back to a folder it lies in; remove the link")
            files += _files(path, [*above, real])
        elif suffix_of(path):
            if not path.is_file():
                raise UserError(f"{path}: a link to nothing; remove it or mend it")
            if not is_text(str(path)):
                raise UserError(f"{path}: its name is not UTF-8, and tables name it; rename it")
            files.append(path)
        elif path.suffix.lower() in _OTHER:
            raise UserError(f"{path}: not one of {', '.join(SUFFIXES)}; convert it or remove it")
    return files


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises for a link to itself

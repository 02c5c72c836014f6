"""What fuzzing draws, how often, and what it may end in."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from pipelines.core.errors import UserError

LONG = int(os.environ.get("FUZZ_EXAMPLES") or 0)  # examples of each target; 0: a sample
RAN: Counter[str] = Counter()  # examples by target
FAILED: Counter[str] = Counter()


def fuzzed(sample: int) -> Any:
    """The same examples in every run: so many of a target, or in the long mode LONG."""
    return settings(
        max_examples=LONG or sample,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def held(target: str, name: str) -> Iterator[None]:
    """An example of a target: it ends well, or in one line of the user's that has this name."""
    RAN[target] += 1
    try:
        yield
    except UserError as error:
        if str(error).isprintable() and name in str(error):
            return
        FAILED[target] += 1
        raise AssertionError(f"{error!s} does not name {name}") from error
    except BaseException:
        FAILED[target] += 1
        raise


def spoilt(good: bytes, head: int) -> st.SearchStrategy[bytes]:
    """Good bytes with some overwritten, mostly among the first, cut off, put in or taken out."""
    place = st.integers(0, head) | st.integers(0, len(good))
    number = st.sampled_from([0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1])
    size = st.sampled_from([1, 2, 4, 8])
    order = st.sampled_from(["little", "big"])
    numbers = st.builds(lambda n, s, o: (n % 256**s).to_bytes(s, o), number, size, order)
    content = st.binary(min_size=1, max_size=4) | numbers
    overwrite = st.tuples(st.just(_overwritten), place, content)
    cut = st.tuples(st.just(_cut), place, st.just(b""))
    insert = st.tuples(st.just(_inserted), place, content)
    changes = st.lists(overwrite | overwrite | overwrite | cut | insert, min_size=1, max_size=4)
    return changes.map(lambda found: _changed(good, found))


Change = tuple[Callable[[bytes, int, bytes], bytes], int, bytes]


def _changed(good: bytes, changes: list[Change]) -> bytes:
    for change, place, content in changes:
        good = change(good, place, content)
    return good


def _overwritten(good: bytes, place: int, content: bytes) -> bytes:
    return good[:place] + content + good[place + len(content) :]


def _inserted(good: bytes, place: int, content: bytes) -> bytes:
    return good[:place] + content + good[place:]


def _cut(good: bytes, place: int, content: bytes) -> bytes:
    return good[:place]


def smiles() -> st.SearchStrategy[str]:
    """Texts that look like SMILES, and texts that do not."""
    atoms = ["C", "c", "N", "n", "O", "S", "Cl", "Br", "B", "P", "[nH]", "[N+]", "[O-]", "[2H]"]
    atoms += ["[C@@H]", "[Fe+2]", "[Na+]", "*", "[*:1]", "[Te]", "[CH3-]", "[U+9]", "[B-]", "[H+]"]
    signs = [
        "(",
        ")",
        "1",
        "2",
        "%10",
        "=",
        "#",
        "-",
        "/",
        "\\",
        ".",
        ":",
        "~",
        "->",
        "$",
        "[",
        "]",
    ]
    signs += ["C(=O)O", "c1ccccc1", "N(=O)=O", " |$A$|", ">>", "%(100)", "\t", "@", "+", "\0"]
    ring = st.lists(st.sampled_from(atoms), min_size=2, max_size=9).map(
        lambda found: f"{found[0]}1{''.join(found[1:])}1"
    )
    chain = st.lists(st.sampled_from(atoms + signs), max_size=30).map("".join)
    nested = st.recursive(
        chain | ring, lambda inner: st.tuples(inner, inner).map("({0[0]}){0[1]}".format)
    )
    return chain | ring | nested | st.text(max_size=20)


def values() -> st.SearchStrategy[Any]:
    """Whatever may stand in params.yaml."""
    numbers = st.integers() | st.floats() | st.sampled_from([-1, 0, 1, 2**31, 2**63, 10**400])
    plain = st.none() | st.booleans() | numbers | st.text(max_size=9)
    return st.recursive(
        plain,
        lambda inner: (
            st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=8,
    )

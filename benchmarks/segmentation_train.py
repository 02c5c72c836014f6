"""Training images per CPU second, 256², batches of four.

"kept memory" is `keep_memory` of pipelines.training, which our train stage calls; the peers come
without it, and are shown with it too.
"""

import argparse

from segmentation_networks import BASIC, DYN, OURS, training
from side_by_side import Bar, Variant, measure, record, table

BATCH, EDGE = 4, 256
BOTH = (False, True)
KEPT = ", kept memory"
PLAIN = f"{OURS}, channels_last"
F32, BF16 = PLAIN + KEPT, f"{PLAIN}, bf16{KEPT}"
BARS = (Bar(F32, BASIC, 2.0), Bar(F32, DYN, 1.3), Bar(BF16, BASIC, 4.0), Bar(BF16, DYN, 2.7))
# Where memory is handled alike; no bar was set for it.
ALIKE = tuple(
    Bar(ours, peer + kept, 1.0)
    for ours, kept in ((PLAIN, ""), (F32, KEPT), (BF16, KEPT))
    for peer in (BASIC, DYN)
)


def run(arguments: argparse.Namespace) -> None:
    """Measure all with one thread, those of the bars also with two; print and record."""
    content: dict[str, object] = {"batch": BATCH, "edge_px": EDGE}
    for threads in (1,) if arguments.quick else (1, 2):
        bars = BARS + ALIKE if threads == 1 else BARS
        named = {name for bar in bars for name in (bar.ours, bar.theirs)}
        variants = [v for v in _variants(threads) if threads == 1 or v.name in named]
        speeds = measure(variants, 2 if arguments.quick else 6, "images / CPU-s")
        ratios = [speeds.ratio(bar) for bar in bars]
        print(f"{threads} thread(s)\n", table(speeds.rows()), table(ratios), sep="\n", flush=True)
        content[f"threads_{threads}"] = {"speeds": speeds.rows(), "ratios": ratios}
    if not arguments.quick:
        record("segmentation_train", content)


def _variants(threads: int) -> list[Variant]:
    """Ours in float32 (plain, kept memory) and bf16; each peer in five ways."""

    def variant(name: str, half: bool, last: bool, kept: bool) -> Variant:
        label = ", ".join([name] + ["channels_last"] * last + ["bf16"] * half)
        return Variant(
            label + KEPT * kept, training, (name, half, last, BATCH, EDGE), threads, kept
        )

    found = [
        variant(OURS, *way)
        for way in ((False, True, False), (False, True, True), (True, True, True))
    ]
    for peer in (BASIC, DYN):
        found += [variant(peer, half, last, False) for last in BOTH for half in BOTH]
        found.append(variant(peer, False, False, True))
    return found

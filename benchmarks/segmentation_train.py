"""Training images per CPU second, 256², batches of four."""

import argparse

from segmentation_networks import BASIC, DYN, OURS, training
from side_by_side import Bar, Variant, measure, record, table

BATCH, EDGE = 4, 256
F32, BF16 = f"{OURS}, channels_last", f"{OURS}, channels_last, bf16"
BARS = (Bar(F32, BASIC, 2.0), Bar(F32, DYN, 1.3), Bar(BF16, BASIC, 4.0), Bar(BF16, DYN, 2.7))


def run(arguments: argparse.Namespace) -> None:
    """Measure with one thread and with two, print and record."""
    content: dict[str, object] = {"batch": BATCH, "edge_px": EDGE}
    for threads in (1,) if arguments.quick else (1, 2):
        speeds = measure(_variants(threads), 2 if arguments.quick else 6, "images / CPU-s")
        ratios = [speeds.ratio(bar) for bar in BARS]
        print(f"{threads} thread(s)\n", table(speeds.rows()), table(ratios), sep="\n")
        content[f"threads_{threads}"] = {"speeds": speeds.rows(), "ratios": ratios}
    if not arguments.quick:
        record("segmentation_train", content)


def _variants(threads: int) -> list[Variant]:
    variants = []
    for name in (OURS, BASIC, DYN):
        for last in (True,) if name == OURS else (False, True):
            for half in (False, True):
                label = ", ".join([name] + ["channels_last"] * last + ["bf16"] * half)
                arguments = (name, half, last, BATCH, EDGE)
                ours = name == OURS
                variants.append(Variant(label, training, arguments, threads, keep_memory=ours))
                if not ours and not half and not last:
                    kept = f"{label}, our allocator"
                    variants.append(Variant(kept, training, arguments, threads, keep_memory=True))
    plain = f"{F32}, plain allocator"
    variants.append(Variant(plain, training, (OURS, False, True, BATCH, EDGE), threads))
    return variants

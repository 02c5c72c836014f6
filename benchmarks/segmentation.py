"""Segmentation side by side with MONAI and albumentations.

    python benchmarks/segmentation.py augment|train|inference|dice [--quick] [--seeds N]

Prints Markdown tables and writes benchmarks/records/segmentation_<part>.json. MONAI is needed:
`make bench` installs it.
"""

import argparse
import importlib
import importlib.util

PARTS = ("augment", "train", "inference", "dice")


def main() -> None:
    """Run the parts that are named, all of them by default."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="few rounds, nothing is recorded")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each network (dice)")
    parser.add_argument("--seconds", type=float, default=240.0, help="CPU seconds a run (dice)")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if importlib.util.find_spec("monai") is None:
        parser.error("MONAI is not installed: make bench")
    for part in arguments.parts or PARTS:
        module = importlib.import_module(f"segmentation_{part}")
        module.run(arguments)


if __name__ == "__main__":
    main()

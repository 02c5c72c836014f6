"""The machine on which something was measured."""

import os
import platform
from pathlib import Path


def processor() -> str:
    """The processor's name, its generation as Linux tells it, and the number of cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    said = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    name = said.get("model name", platform.machine())
    if "cpu family" in said:
        name += f" (family {said['cpu family']}, model {said['model']})"
    return f"{name}, {os.cpu_count()} cores"

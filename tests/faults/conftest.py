"""What the fuzzing of a long run came to."""

from __future__ import annotations

from typing import Any

from tests.faults.fuzzing import FAILED, LONG, RAN


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if LONG:
        for target, count in sorted(RAN.items()):
            terminalreporter.write_line(f"{count:6} examples, {FAILED[target]} failed: {target}")
        failed = sum(FAILED.values())
        terminalreporter.write_line(f"{RAN.total():6} examples, {failed} failed in all")

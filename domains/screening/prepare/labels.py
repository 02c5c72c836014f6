"""Labels as they are written in a table: numbers, one of two classes, or nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import isfinite, nan

from pipelines.chemistry.standardise import MISSING
from pipelines.core.errors import UserError

from .params import TargetColumn

MOST_UNREAD = 0.1  # of the labels that can be read
_SHOWN = 5  # classes, or labels, in a message

# The label, NaN where nothing was measured, and what is wrong with it.
Label = tuple[float, str | None]


def read_labels(texts: Sequence[str], target: TargetColumn, file: str) -> list[Label]:
    """The labels of a column.

    Raises:
        UserError: no label in the whole column, or none of the positive class, or the same one
            everywhere, or many that cannot be read: these are seldom left out at random.
    """
    missing = _missing(target)
    labels = _classes(texts, target, file) if target.kind == "class" else _values(texts, target)
    given = {label for label, problem in labels if problem is None and label == label}
    where = f"{file}: column {target.column!r} of target {target.name}"
    if given:
        _require_few_unread(texts, labels, target, where)
    else:
        sample = next((text for text in texts if text.lower() not in missing), "")
        mend = "write numbers with a point" if _has_comma(sample) else "name another column"
        raise UserError(f"{where}: found {sample!r} and no {target.kind}; {mend}")
    if len(given) == 1:
        one = next(text for text in texts if text.lower() not in missing)
        unknown = sum(text.lower() in missing for text in texts)
        beside = f" but for {unknown} fields that say nothing was measured" if unknown else ""
        raise UserError(f"{where}: found {one!r} everywhere{beside}; nothing can be learnt from it")
    return labels


def _require_few_unread(
    texts: Sequence[str], labels: Sequence[Label], target: TargetColumn, where: str
) -> None:
    unread = Counter(t for t, (_, problem) in zip(texts, labels, strict=True) if problem)
    count, read = unread.total(), sum(label == label for label, _ in labels)
    if count <= max(1, MOST_UNREAD * read):
        return
    shown = ", ".join(f"{text!r} ({number})" for text, number in unread.most_common(_SHOWN))
    if target.kind == "class":
        mend = f"beside {target.positive!r} there is one class: empty the fields of others"
    elif any(map(_has_comma, unread)):
        mend = "write numbers with a point"
    else:
        mend = "write numbers, also for what is only known to be above or below one, or nothing"
    raise UserError(f"{where}: {count} labels besides {read} cannot be used: {shown}; {mend}")


def _values(texts: Sequence[str], target: TargetColumn) -> list[Label]:
    return [_value(text, target.name) for text in texts]


def _value(text: str, name: str) -> Label:
    if text.lower() in MISSING:
        return nan, None
    try:
        number = float(text)
    except ValueError:
        if re.match(r"\s*[<>~≤≥]", text):
            return nan, f"{name} is only known to be above or below a number"
        mend = "; write numbers with a point" if _has_comma(text) else ""
        return nan, f"{name} is no number{mend}"
    return (number, None) if isfinite(number) else (nan, f"{name} is not finite")


def _has_comma(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d*,\d+", text) is not None


def _classes(texts: Sequence[str], target: TargetColumn, file: str) -> list[Label]:
    """1 for the positive class, 0 for the commonest other; further ones are mistakes."""
    kinds = [_kind(text) for text in texts]
    positive = _kind(target.positive)
    missing = _missing(target)
    counts = Counter(kind for kind in kinds if kind.lower() not in missing)
    if counts and positive not in counts:
        found = ", ".join(repr(kind) for kind, _ in counts.most_common(_SHOWN))
        raise UserError(
            f"{file}: column {target.column!r} of target {target.name}: found {found}, but not the "
            f"positive class {target.positive!r}; correct prepare.targets"
        )
    counts.pop(positive, None)
    other = counts.most_common(1)[0][0] if counts else None
    problem = f"{target.name} is neither {target.positive} nor {other}"
    known: dict[str, Label] = {positive: (1.0, None)}
    if other is not None:
        known[other] = (0.0, None)
    return [
        (nan, None) if kind.lower() in missing else known.get(kind, (nan, problem))
        for kind in kinds
    ]


def _missing(target: TargetColumn) -> set[str]:
    """What says that nothing was measured; not the positive class, not a minus beside a plus."""
    return MISSING - {target.positive.lower(), "-" if target.positive == "+" else ""} | {""}


def _kind(text: str) -> str:
    """The class's name; numbers as Python writes them, so that 1 and 1.0 are the same."""
    try:
        return str(float(text))
    except ValueError:
        return text.strip()

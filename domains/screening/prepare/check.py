"""`scistage check`: are the tables there and whole, before anything runs?"""

from pipelines.core.errors import UserError

from .params import PrepareParams

_FIRST = 1000  # rows, among which there must be a molecule


def check(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of the files that `prepare` would read, by name.

    Raises UserError for what tables, columns and labels show without chemistry, and for a column
    that holds no molecules. What a split lacks `prepare` finds.
    """
    from .loading import labels_of
    from .tables import files, library, measured, read_library, read_measured

    place, targets = measured(params)
    listed = read_measured(place, targets)
    labels_of(listed, targets)
    _require_a_molecule(listed.name, listed.columns["smiles"], params.max_atoms)
    ranked = library(params)
    if ranked:
        given = read_library(ranked)
        _require_a_molecule(given.name, given.columns["smiles"], params.max_atoms)
    return files(params)


def _require_a_molecule(name: str, texts: list[str], max_atoms: int) -> None:
    from .standard import standard

    first = texts[:_FIRST]
    forms = (standard([text], max_atoms)[0] for text in first)
    if not any(form.smiles for form in forms):
        reason = standard(first[:1], max_atoms)[0].reason
        raise UserError(
            f"{name}: no usable molecule in the first {len(first)} rows ({first[0][:40]!r}: "
            f"{reason}); name the column that holds SMILES"
        )

"""SMILES as a sequence of tokens: an atom, a bond, a branch or a ring closure each.

Two-letter elements and bracket atoms are one token, as in Segler et al. 2018 (ACS Central Science
4:120); so are ring closures of two digits. Joined again, tokens are the text they came from.
"""

import re

_BRACKET = r"\[[^\[\]]+\]"
_ATOM = "Cl|Br|[BCNOPSFIbcnops*]"
_RING = r"[0-9]|%[0-9]{2}"
_BOND = r"[-=#$:/\\~.()]"
_TOKEN = re.compile(f"{_BRACKET}|{_ATOM}|{_RING}|{_BOND}")


def tokenize(smiles: str) -> list[str]:
    r"""Split a SMILES into tokens.

    >>> tokenize("C[C@@H](Cl)c1ccc%10cc1")[:7]
    ['C', '[C@@H]', '(', 'Cl', ')', 'c', '1']

    Raises:
        ValueError: a character that belongs to no token of SMILES.
    """
    tokens = _TOKEN.findall(smiles)
    if sum(map(len, tokens)) != len(smiles):
        rest = _TOKEN.sub("", smiles)
        raise ValueError(f"{smiles!r}: {rest[0]!r} is no part of a SMILES")
    return tokens

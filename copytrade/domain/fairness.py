"""Who is served first: the order of subscribers rotates from change to change, and nobody can line up with it. Pure."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def rotated(members: Sequence[T], *, turn: int, seed: str) -> Sequence[T]:
    """Return `members` (always given in the same order) as they are served in this turn, the first one first.

    In each block of as many turns as there are members everybody has every rank once. The block's start is drawn from
    the seed: a trader whose fills come in a pattern, as entry, exit, entry, does not favour anybody.
    """
    if len(members) < 2:
        return members
    block, within = divmod(turn, len(members))
    digest = hashlib.blake2b(f"{seed}:{block}".encode(), digest_size=8).digest()
    first = (int.from_bytes(digest) + within) % len(members)
    return [*members[first:], *members[:first]]

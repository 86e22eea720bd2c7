"""Names into addresses: lower-case Latin letters, digits and dashes."""

import re
import unicodedata

_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya".replace("_", "").split(" "),
        strict=True,
    )
)
RESERVED = frozenset({"what-if", "compare", "graveyard"})


def slug_of(name: str) -> str:
    """Return the address part for a name; never empty, never a reserved word."""
    latin = "".join(_CYRILLIC.get(letter, letter) for letter in name.lower())
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-")
    return f"trader-{slug}".strip("-") if not slug or slug in RESERVED or slug.isdigit() else slug

"""How a run says that an invariant does not hold."""


class Broken(AssertionError):
    """An invariant does not hold."""


def broken(what: str, *facts: object) -> None:
    """Raise with the invariant in words and what was seen."""
    raise Broken(f"{what}: {', '.join(str(fact) for fact in facts)}")


def hold(is_true: object, what: str, *facts: object) -> None:
    """Raise unless an invariant holds."""
    if not is_true:
        broken(what, *facts)

from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy.dialects.postgresql import dialect

from copytrade.db.model import Amount, UtcDateTime, new_id


def test_ids_are_version_seven_and_sort_by_their_making() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {made.version for made in ids} == {7}


def test_a_float_is_no_amount() -> None:
    with pytest.raises(TypeError, match="float"):
        Amount().process_bind_param(0.1, dialect())  # pyright: ignore[reportArgumentType]
    assert Amount().process_bind_param(1, dialect()) == Decimal(1)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), dialect())  # noqa: DTZ001

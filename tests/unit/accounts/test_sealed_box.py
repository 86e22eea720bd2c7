import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from copytrade.accounts import sealed_box
from copytrade.accounts.sealed_box import BoxDamaged

OURS, THEIRS = X25519PrivateKey.generate(), X25519PrivateKey.generate()
PUBLIC = OURS.public_key().public_bytes_raw()


def test_what_was_closed_opens_for_its_owner() -> None:
    box = sealed_box.close(b"CANARY", to=PUBLIC, bound_to=b"row 1")
    assert b"CANARY" not in box
    assert sealed_box.unseal(box, by=OURS, bound_to=b"row 1") == b"CANARY"


def test_the_same_content_never_makes_the_same_box() -> None:
    assert len({sealed_box.close(b"x", to=PUBLIC, bound_to=b"") for _ in range(20)}) == 20


def test_a_box_opens_neither_for_others_nor_elsewhere() -> None:
    box = sealed_box.close(b"CANARY", to=PUBLIC, bound_to=b"row 1")
    for by, bound_to in ((THEIRS, b"row 1"), (OURS, b"row 2")):
        with pytest.raises(BoxDamaged) as told:
            sealed_box.unseal(box, by=by, bound_to=bound_to)
        assert "CANARY" not in str(told.value)


@given(where=st.integers(min_value=0, max_value=70), bit=st.integers(min_value=0, max_value=7))
def test_a_changed_box_does_not_open(where: int, bit: int) -> None:
    box = bytearray(sealed_box.close(b"CANARY secret", to=PUBLIC, bound_to=b"row"))
    # The highest bit of an X25519 key is ignored by its definition (RFC 7748, 5), but not by our salt.
    box[where % len(box)] ^= 1 << bit
    with pytest.raises(BoxDamaged):
        sealed_box.unseal(bytes(box), by=OURS, bound_to=b"row")


@pytest.mark.parametrize("box", [b"", b"\x01", b"\x01" + b"\x00" * 60, b"\x02" * 80])
def test_what_is_no_box_does_not_open(box: bytes) -> None:
    with pytest.raises(BoxDamaged):
        sealed_box.unseal(box, by=OURS, bound_to=b"")

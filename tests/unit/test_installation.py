"""Secrets of a local installation."""

import base64
import re
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from copytrade.installation import installation_keys, local_environment


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    first = installation_keys(tmp_path / "keys")
    assert installation_keys(tmp_path / "keys") == first
    assert installation_keys(tmp_path / "others")["COPYTRADE_KEYRING"] != first["COPYTRADE_KEYRING"]


def test_only_their_owner_reads_the_keys(tmp_path: Path) -> None:
    installation_keys(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()} == {0o600}


def test_the_sealing_key_is_the_public_half_of_the_newest_key(tmp_path: Path) -> None:
    keys = installation_keys(tmp_path)
    private_id, _, private = keys["COPYTRADE_KEYRING"].partition(":")
    public_id, _, public = keys["COPYTRADE_SEALING_KEY"].partition(":")
    half = X25519PrivateKey.from_private_bytes(base64.b64decode(private)).public_key().public_bytes_raw()
    assert (public_id, base64.b64decode(public)) == (private_id, half)


def test_the_nonce_fits_into_an_order_id(tmp_path: Path) -> None:
    assert re.fullmatch(r"[a-z2-7]{8}", installation_keys(tmp_path)["COPYTRADE_INSTALLATION_NONCE"])


def test_a_command_run_by_hand_gets_no_keyring(tmp_path: Path) -> None:
    keys = installation_keys(tmp_path / "keys")
    variables = local_environment(tmp_path)
    assert variables["COPYTRADE_PEPPER"] == keys["COPYTRADE_PEPPER"]
    assert keys["COPYTRADE_KEYRING"] not in variables.values()

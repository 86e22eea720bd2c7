"""A local installation: where its engines are reached, and its secrets, made once, one 0600 file each."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from copytrade.engines import locate, run_folder

_NONCE_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def local_environment(var: Path) -> dict[str, str]:
    """Return how a command run by hand reaches the running installation at `var`: addresses and secrets, no keyring."""
    engines = locate(var / "engines", run=run_folder(var) / "engines")
    secrets_ = installation_keys(var / "keys") if (var / "keys").exists() else {}
    secrets_.pop("COPYTRADE_KEYRING", None)
    return {"COPYTRADE_DATABASE_URL": engines.database_url(), "COPYTRADE_REDIS_URL": engines.redis_url, **secrets_}


def installation_keys(folder: Path) -> dict[str, str]:
    """Return the secrets as `COPYTRADE_*` variables, making those that `folder` does not hold yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    keyring = _kept(folder / "keyring", make=_private_key)
    return {
        "COPYTRADE_KEYRING": keyring,
        "COPYTRADE_SEALING_KEY": _public_half(keyring),
        "COPYTRADE_PEPPER": _kept(folder / "pepper", make=_random),
        "COPYTRADE_SERVICE_TOKEN_KEY": _kept(folder / "service_token_key", make=_random),
        "COPYTRADE_PAPER_TOKEN": _kept(folder / "paper_token", make=_random),
        "COPYTRADE_INSTALLATION_NONCE": _kept(folder / "installation_nonce", make=_nonce),
        "COPYTRADE_STRIPE_KEY": _kept(folder / "stripe_key", make=lambda: f"sk_test_sandbox_{secrets.token_hex(16)}"),
        "COPYTRADE_STRIPE_WEBHOOK_SECRET": _kept(
            folder / "stripe_webhook_secret", make=lambda: f"whsec_{secrets.token_hex(24)}"
        ),
    }


def _kept(file: Path, *, make: Callable[[], str]) -> str:
    if not file.exists():
        fresh = file.with_name(f"{file.name}.new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(make())
            out.flush()
            os.fsync(out.fileno())
        fresh.rename(file)
    return file.read_text().strip()


def _private_key() -> str:
    raw = X25519PrivateKey.generate().private_bytes_raw()
    return f"k{secrets.token_hex(3)}:{base64.b64encode(raw).decode()}"


def _public_half(keyring: str) -> str:
    key_id, _, encoded = keyring.split(",")[0].partition(":")
    public = X25519PrivateKey.from_private_bytes(base64.b64decode(encoded)).public_key().public_bytes_raw()
    return f"{key_id}:{base64.b64encode(public).decode()}"


def _random() -> str:
    return secrets.token_urlsafe(32)


def _nonce() -> str:
    return "".join(secrets.choice(_NONCE_LETTERS) for _ in range(8))

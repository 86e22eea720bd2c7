"""A self-signed certificate, so that clients may keep the venues' own addresses and only resolve them to here."""

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NAMES = ("localhost", "*.binance.com", "*.bybit.com", "*.bytick.com", "*.bitget.com")
_VALID = datetime.timedelta(days=3650)


def server_context(folder: Path) -> ssl.SSLContext:
    """Return the listener's TLS context; its certificate is made once and kept in `folder`."""
    certificate = folder / "venues.pem"
    if not certificate.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = certificate.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(_make())
        fresh.replace(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _make() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CopyTrade sandbox")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in _NAMES])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return private + certificate.public_bytes(serialization.Encoding.PEM)

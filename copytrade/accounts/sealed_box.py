"""A box that anybody can close with a public key and only its owner opens, bound to what it belongs to.

X25519 with a key made for the one box, HKDF-SHA256, AES-256-GCM; `version | ephemeral public key | nonce | ciphertext`.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
_KEY, _NONCE = 32, 12
_INFO = b"copytrade sealed box v1"


class BoxDamaged(ValueError):
    """The box was changed, belongs to something else, or was closed for another key."""


def close(content: bytes, *, to: bytes, bound_to: bytes) -> bytes:
    """Return the content sealed to a raw public key; it opens only together with `bound_to`."""
    once = X25519PrivateKey.generate()
    sender = once.public_key().public_bytes_raw()
    nonce = os.urandom(_NONCE)
    shared = once.exchange(X25519PublicKey.from_public_bytes(to))
    cipher = AESGCM(_derived(shared, sender=sender, recipient=to))
    return VERSION + sender + nonce + cipher.encrypt(nonce, content, bound_to)


def unseal(box: bytes, *, by: X25519PrivateKey, bound_to: bytes) -> bytes:
    """Return what was sealed; raise BoxDamaged unless box, key and binding are the ones it was closed with."""
    sender, nonce, sealed = box[1 : 1 + _KEY], box[1 + _KEY : 1 + _KEY + _NONCE], box[1 + _KEY + _NONCE :]
    if box[:1] != VERSION or len(nonce) != _NONCE:
        raise BoxDamaged("box had no known form")
    try:
        shared = by.exchange(X25519PublicKey.from_public_bytes(sender))
        recipient = by.public_key().public_bytes_raw()
        return AESGCM(_derived(shared, sender=sender, recipient=recipient)).decrypt(nonce, sealed, bound_to)
    except (InvalidTag, ValueError):
        raise BoxDamaged("box did not open") from None


def _derived(shared: bytes, *, sender: bytes, recipient: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=sender + recipient, info=_INFO).derive(shared)

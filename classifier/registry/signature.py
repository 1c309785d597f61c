"""Sign an artifact with an HMAC, or without a key compute its SHA-256.

Whoever can write to the database can change an artifact together with its SHA-256, but cannot
compute the HMAC without the key.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from classifier.errors import BrokenArtifact
from classifier.model_records import SIBLING_POOL
from classifier.settings import ClassifierSettings

KEYED: Final = "hmac-sha256:"
"""Prefix of an HMAC, which is stored in place of the SHA-256."""


def sign(artifact: bytes, schema: Mapping[str, Any], golden_rows: Mapping[str, Any]) -> str:
    """Return the HMAC under `CLASSIFIER_SIGNING_KEY`, without a key the SHA-256 of the artifact.

    The HMAC (RFC 2104) covers the columns, classes, weights for siblings and golden rows, too.
    """
    key = _signing_key()
    return checksum(artifact) if key is None else _hmac(key, artifact, schema, golden_rows)


def checksum(artifact: bytes) -> str:
    """Return the SHA-256 of an artifact."""
    return hashlib.sha256(artifact).hexdigest()


def verify(
    stored: str, artifact: bytes, schema: Mapping[str, Any], golden_rows: Mapping[str, Any]
) -> None:
    """Raise `BrokenArtifact` if the stored signature or checksum does not match the artifact."""
    key = _signing_key()
    if key is None and stored.startswith(KEYED):
        raise BrokenArtifact("It was stored with a signing key: set CLASSIFIER_SIGNING_KEY.")
    if key is not None and not stored.startswith(KEYED):
        raise BrokenArtifact("It was stored without the signing key (CLASSIFIER_SIGNING_KEY).")
    if not hmac.compare_digest(stored, sign(artifact, schema, golden_rows)):
        how = "SHA-256 differs" if key is None else "signature does not fit"
        raise BrokenArtifact(f"It is not the artifact that was stored: its {how}.")


def _hmac(
    key: bytes, artifact: bytes, schema: Mapping[str, Any], golden_rows: Mapping[str, Any]
) -> str:
    covered = {name: schema.get(name) for name in ("columns", "classes", SIBLING_POOL)}
    text = json.dumps([covered, golden_rows], sort_keys=True, ensure_ascii=True)
    return KEYED + hmac.new(key, text.encode() + b"\0" + artifact, hashlib.sha256).hexdigest()


def _signing_key() -> bytes | None:
    key = ClassifierSettings.load().signing_key
    return None if key is None else key.get_secret_value().encode()

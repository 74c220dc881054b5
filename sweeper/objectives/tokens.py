"""A token of its own for each training, made from one secret of the sweep and kept nowhere."""

import base64
import hashlib
import hmac


def token_for(key: bytes, trial: int) -> str:
    """Return the bearer token with which a trial's trainings report; the same at every call."""
    seal = hmac.new(key, b"report %d" % trial, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(seal).decode("ascii").rstrip("=")


def is_token(key: bytes, trial: int, token: str) -> bool:
    """Return whether `token` is that of `trial`, in a time that tells nothing about it."""
    return hmac.compare_digest(token_for(key, trial).encode(), token.encode("utf-8", "replace"))

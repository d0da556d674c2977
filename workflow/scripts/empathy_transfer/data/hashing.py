"""Numbers that depend on a text alone: the same in every process, on every machine and in every Python."""

from hashlib import sha256

_BITS = 53  # every fraction is then an exact double below 1


def hash_fraction(text):
    """A number in [0, 1) from the SHA-256 digest of `text`, uniform over different texts."""
    digest = sha256(text.encode("utf-8")).digest()
    return (int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / 2.0**_BITS

"""Testing tokens: by them an app's own tests pass bot protection and the endpoint limits.

    <when it ends, in seconds>.<MAC of that>

Nothing is stored. The key is derived from the master key and the instance, so a token of
one server opens nothing on another.
"""

from __future__ import annotations

import hmac

from doorcode.domain.limits import SECOND, TESTING_TOKEN_LIVES_FOR
from doorcode.security.master_key import MasterKey


class TestingTokens:
    """Makes and checks the testing tokens of one instance."""

    __test__ = False  # pytest takes what is called so for a test

    def __init__(self, master: MasterKey, instance_id: str) -> None:
        self._newest = master.derive("testing", master.newest, instance_id)
        self._keys = [master.derive("testing", version, instance_id) for version in master.versions]

    def make(self, now: int) -> tuple[str, int]:
        """A token, and when it ends, in seconds since the epoch."""
        ends_at = (now + TESTING_TOKEN_LIVES_FOR) // SECOND
        return f"{ends_at}.{_mac(self._newest, str(ends_at))}", ends_at

    def is_valid(self, text: str, now: int) -> bool:
        """Whether we made this token within the last hour. Compared in constant time."""
        ends_at, dot, mac = text.partition(".")
        if not dot or not text.isascii():
            return False
        genuine = [hmac.compare_digest(mac, _mac(key, ends_at)) for key in self._keys]
        # Only of what we wrote ourselves is it certain that it is a number.
        return any(genuine) and now < int(ends_at) * SECOND


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()

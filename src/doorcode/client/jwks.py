"""The server's public keys: read from a document, or fetched and kept for a while."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from doorcode.client.connection import check_url
from doorcode.client.errors import KeysUnavailableError, MalformedTokenError, UnknownKeyError
from doorcode.client.flow import AsyncDriver, Callback, D, Flow, Runs, SyncDriver, flow
from doorcode.client.jws import decode_base64url
from doorcode.client.wire import Request, read

KEYS_PATH = "/.well-known/jwks.json"
# Keys withdrawn at the server must not be trusted here for much longer.
MAX_AGE = 300.0
# While the server does not answer, its last keys are better than none, but not for ever: who has
# stolen a withdrawn key could keep it alive by keeping the answer away.
MAX_AGE_UNREACHABLE = 3600.0
# A stranger may invent one kid after another; the server shall not hear of each.
MIN_INTERVAL = 30.0
# Minutes pass between two fetches: no connection is kept, so there is nothing to close either.
ONE_SHOT = httpx.Limits(max_keepalive_connections=0)
MIN_BITS, MAX_BITS = 2048, 8192

Keys: TypeAlias = dict[str, RSAPublicKey]
Lock: TypeAlias = "threading.Lock | asyncio.Lock"


def read_keys(document: Mapping[str, Any]) -> Keys:
    """Return the RS256 keys of a JWKS document by their ``kid``; others are passed over."""
    listed = document.get("keys")
    keys: Keys = {}
    for told in listed if isinstance(listed, list) else []:
        key = _read_key(told) if isinstance(told, Mapping) else None
        if key is not None:
            keys.setdefault(told["kid"], key)
    return keys


def find_key(keys: Keys, kid: str) -> RSAPublicKey:
    """Return the key named, or raise ``UnknownKeyError``."""
    if kid not in keys:
        raise UnknownKeyError("No usable key of the server has the kid of this token")
    return keys[kid]


def _read_key(told: Mapping[str, Any]) -> RSAPublicKey | None:
    fits = (
        told.get("kty") == "RSA"
        and told.get("use", "sig") == "sig"
        and told.get("alg", "RS256") == "RS256"
        and isinstance(told.get("kid"), str)
    )
    if not fits:
        return None
    try:
        modulus, exponent = _number(told.get("n")), _number(told.get("e"))
        # Too short can be broken, too long makes every check slow.
        if not MIN_BITS <= modulus.bit_length() <= MAX_BITS:
            return None
        return RSAPublicNumbers(exponent, modulus).public_key()
    except (TypeError, ValueError, MalformedTokenError):
        return None


def _number(text: object) -> int:
    if not isinstance(text, str):
        raise TypeError("a number of a key is base64url text")
    return int.from_bytes(decode_base64url(text))


class AnyJwksCache(Runs[D], Generic[D]):
    """Owns the keys of one server; what both caches can do."""

    def __init__(self, driver: D, lock: Lock, clock: Callable[[], float]) -> None:
        super().__init__(driver)
        self._lock = lock
        self._clock = clock
        self._keys: Keys = {}
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")

    @flow
    def find(self, kid: str) -> Flow[RSAPublicKey]:
        """Return the key named, fetching the keys if they are old or do not have it.

        Raises ``UnknownKeyError``, or ``KeysUnavailableError`` if the server does not answer and
        its last keys are too old to be trusted.
        """
        if self._must_ask(kid):
            yield Callback(self._lock.acquire)
            try:
                # Whoever held the lock before may have asked already.
                if self._must_ask(kid):
                    yield from self._ask()
            finally:
                self._lock.release()
        if self._clock() - self._fetched_at >= MAX_AGE_UNREACHABLE:
            raise KeysUnavailableError(f"The keys at {self.driver.origin} cannot be fetched")
        return find_key(self._keys, kid)

    def _must_ask(self, kid: str) -> bool:
        now = self._clock()
        is_wanting = kid not in self._keys or now - self._fetched_at >= MAX_AGE
        return is_wanting and now - self._asked_at >= MIN_INTERVAL

    def _ask(self) -> Flow[None]:
        answer = read((yield Request("GET", KEYS_PATH)))
        self._asked_at = self._clock()
        document = answer.resource if answer.error is None else None
        # Another program's JSON must not wipe out keys that are good.
        if isinstance(document, dict) and isinstance(document.get("keys"), list):
            self._keys = read_keys(document)
            self._fetched_at = self._asked_at


class JwksCache(AnyJwksCache[SyncDriver]):
    """The keys of the server at ``url``, for ``verify_token``; make one and keep it.

    They are fetched on first use from ``/.well-known/jwks.json``, again after five minutes, and
    again when a token names a new key, but never more than once in thirty seconds.
    ``http_client``: an ``httpx.Client`` of yours; closing it stays your business.
    ``clock``: seconds that only go forward.
    """

    def __init__(
        self,
        url: str,
        *,
        http_client: httpx.Client | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        driver = SyncDriver(http_client or httpx.Client(limits=ONE_SHOT), check_url(url))
        super().__init__(driver, threading.Lock(), clock)


class AsyncJwksCache(AnyJwksCache[AsyncDriver]):
    """As ``JwksCache``, for ``verify_token_async``; ``http_client`` is an ``httpx.AsyncClient``."""

    def __init__(
        self,
        url: str,
        *,
        http_client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        driver = AsyncDriver(http_client or httpx.AsyncClient(limits=ONE_SHOT), check_url(url))
        super().__init__(driver, asyncio.Lock(), clock)

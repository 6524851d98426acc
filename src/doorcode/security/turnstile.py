"""Asks Cloudflare whether the answer to a challenge is a person's.

https://developers.cloudflare.com/turnstile/get-started/server-side-validation/

An answer counts once; Cloudflare sees to that, and to its five minutes. When nobody can be
asked, nobody has passed: a bot must not get in by way of an outage.
"""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import structlog

SECONDS = 5.0
# What a visitor can cause. Any other error is a mistake of the operator's, or an outage.
_THEIRS = frozenset({"missing-input-response", "invalid-input-response", "timeout-or-duplicate"})

log = structlog.get_logger("doorcode.security")

# What the decoder raises: for another document, for bytes that are no text, for endless nesting.
_NO_VERDICT = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Verdict(msgspec.Struct):
    success: bool
    error_codes: list[str] = msgspec.field(name="error-codes", default_factory=list)
    hostname: str = ""
    action: str = ""


class Turnstile:
    """One widget's secret, and the hosts of the pages that may show it.

    `hosts` None takes any: in development, where Cloudflare's keys for tests name a host of
    theirs.
    """

    def __init__(
        self, secret: str, url: str, hosts: frozenset[str] | None, seconds: float = SECONDS
    ) -> None:
        self._secret = secret
        self._url = url
        self._hosts = hosts
        self._seconds = seconds
        self._http = httpx.AsyncClient(timeout=seconds)

    async def passes(self, token: str, address: str, action: str) -> bool:
        """Whether a person solved this challenge, on a page of ours and for this purpose."""
        try:
            verdict = await self._ask(token, address)
        except (httpx.HTTPError, TimeoutError, *_NO_VERDICT) as error:
            log.error("bot check unreachable, nobody passes", why=str(error) or repr(error))
            return False
        if not verdict.success:
            if not _THEIRS.issuperset(verdict.error_codes):
                log.error("bot check refused, nobody passes", why=verdict.error_codes)
            return False
        # A site key is public: another page could let its visitors solve challenges for ours.
        if self._hosts is not None and verdict.hostname not in self._hosts:
            log.warning("challenge solved on another site", hostname=verdict.hostname)
            return False
        return verdict.action in ("", action)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def _ask(self, token: str, address: str) -> _Verdict:
        form = {"secret": self._secret, "response": token, "remoteip": address}
        # httpx counts each step by itself; whoever answers byte by byte would hold us for long.
        async with asyncio.timeout(self._seconds):
            answer = await self._http.post(self._url, data=form)
        if answer.status_code >= 500:
            answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=_Verdict)

"""How providers are spoken to over HTTP: one pool of connections, bounded waits and answers."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from doorcode.delivery.interface import Never, NotSent, TryAnother, TryLater
from doorcode.delivery.providers.answers import document

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
MOST_BYTES = 256 * 1024

# They log each address at INFO, and headers at DEBUG: an address may hold the number and the code.
for _logger in ("httpx", "httpcore"):
    logging.getLogger(_logger).setLevel(logging.WARNING)

# A provider's code: what to do with the letter, and why in plain words with the mend.
Meanings = Mapping[str, tuple[type[NotSent], str]]

_CODE = re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered; `json` is None where the body is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return document(self.body)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Transport:
    """Asks, and turns what goes wrong on the way into `TryLater`.

    An address of a provider is the operator's own setting and may be private. Redirects are
    not followed: they would carry the letter and the credentials to somewhere else.
    """

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._kept = client

    @property
    def _client(self) -> httpx.AsyncClient:
        # Made when the first letter goes: reading the certificates takes a while, and settings
        # are checked by making providers that never send.
        if self._kept is None:
            self._kept = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=200, max_keepalive_connections=40),
            )
        return self._kept

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        """One request and its whole answer, or `TryLater`.

        Before a connection stands, nothing was sent. After that the provider may have
        taken the letter though no answer came: `maybe` says so. Once its status says that
        it took the letter, nothing that befalls the rest of the answer takes that back.
        """
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        response: httpx.Response | None = None
        try:
            # In all: one byte every few seconds would outlast any time between two bytes.
            async with (
                asyncio.timeout(seconds),
                self._client.stream(
                    method, url, headers=dict(headers or {}), content=content, timeout=timeout
                ) as response,
            ):
                body = await _bounded(response)
                return Answer(response.status_code, response.headers, body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TryLater(f"no connection to the provider ({_name(error)})") from None
        except httpx.LocalProtocolError:
            raise TryAnother("the request cannot be written; look at the route's headers") from None
        except (httpx.HTTPError, TimeoutError) as error:
            if response is not None and response.is_success:
                return Answer(response.status_code, response.headers, b"")
            is_late = isinstance(error, httpx.TimeoutException | TimeoutError)
            broke = f"the line to the provider broke ({type(error).__name__})"
            why = "the provider took too long to answer" if is_late else broke
            raise TryLater(why, maybe=True) from None
        except (httpx.InvalidURL, ValueError) as error:
            raise TryAnother(
                f"the provider's address cannot be used ({type(error).__name__})"
            ) from None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._kept:
            await self._kept.aclose()


def refusal(status: int, why: str, code: str = "") -> NotSent:
    """What a status means where the provider's own code says nothing more.

    As peers learned it: failing over on a bad number doubles the bill, not failing over on
    a full account loses the letter. Where nothing is found at the address, or it takes no
    such request, or it sends us elsewhere, the setting is wrong and not the number.
    """
    if status < 400 or status in (401, 402, 403, 404, 405, 415):
        return TryAnother(why, code)
    if status in (408, 429) or status >= 500:
        return TryLater(why, code)
    return Never(why, code)


def verdict(meanings: Meanings, who: str, status: int, code: str) -> NotSent:
    """What a provider's own code means, in plain words; its status counts for an unknown one."""
    if code in meanings:
        sort, why = meanings[code]
        return sort(f"{who}: {why}", code)
    # What is no code could be a sentence that quotes the letter.
    named = code if _CODE.fullmatch(code) else str(status)
    return refusal(status, f"{who} answered {status}", named)


async def _bounded(response: httpx.Response) -> bytes:
    kept = b""
    async for chunk in response.aiter_bytes():
        kept += chunk
        if len(kept) > MOST_BYTES:
            break
    return kept[:MOST_BYTES]


def _name(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    while cause is not None and not isinstance(cause, ssl.SSLError | OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate: {cause.verify_message}"
    return type(cause or error).__name__

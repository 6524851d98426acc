"""The signing keys of a running server: a new one counts, and an old one goes, by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from doorcode import instance_keys
from doorcode.flows.deps import Deps
from doorcode.security.sealing import Sealer
from doorcode.security.tokens import SigningKey, Tokens
from doorcode.storage.interface import Storage

LOOK_EVERY_SECONDS = 0.5

log = structlog.get_logger("doorcode")


class LiveKeys:
    """The keys that are in use, and a watch over those that are kept."""

    def __init__(
        self, storage: Storage, sealer: Sealer, issuer: str, keys: Sequence[SigningKey]
    ) -> None:
        self._storage = storage
        self._sealer = sealer
        self._issuer = issuer
        self._keys = tuple(keys)
        self._complaint = ""

    def tokens(self) -> Tokens:
        """What mints by these keys. The first of them signs."""
        return Tokens(list(self._keys), self._issuer)

    async def run(self, deps: Deps) -> None:
        """Replace the tokens whenever other keys are due. What is wrong changes nothing."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                tokens = await self.look(deps.now())
            except Exception as error:  # noqa: BLE001 - it must go on whatever happened once
                self._complain(f"{type(error).__name__}: {error}")
            else:
                deps.tokens = tokens or deps.tokens
                self._complaint = ""

    async def look(self, now: int) -> Tokens | None:
        """What mints from now on; None where the keys in use are still the right ones."""
        async with self._storage.reading() as tx:
            kept = await tx.signing_keys()
        due = instance_keys.published(kept, now)
        if [key.id for key in due] == [key.id for key in self._keys]:
            return None
        self._keys = instance_keys.open_signing_keys(due, self._sealer)
        log.info("signing keys changed", signs=due[0].id, published=len(due))
        return self.tokens()

    def _complain(self, why: str) -> None:
        # Once for each mistake, not at every look.
        if why != self._complaint:
            log.warning("signing keys not applied, the last good ones stay", why=why)
        self._complaint = why

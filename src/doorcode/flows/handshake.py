"""Telling an app's server who is signed in, when its own cookies do not say."""

from __future__ import annotations

import msgspec

from doorcode.domain.limits import HANDSHAKE_LIVES_FOR
from doorcode.flows import client as clients
from doorcode.flows.deps import Deps
from doorcode.security.random_ids import digest, new_token
from doorcode.security.sealing import CannotOpen

_strings = msgspec.json.Decoder(list[str])


async def keep(deps: Deps, directives: list[str]) -> str:
    """Keep the cookies that an app's server is to set, and return the word for them.

    They hold a session token, so they are sealed; and they can be read again until they
    expire, because a browser may load the page twice within those seconds.
    """
    nonce = new_token()
    name = digest(deps.instance.id, "handshake", nonce)
    sealed = deps.sealer.seal(f"handshake/{name.hex()}", msgspec.json.encode(directives))
    async with deps.storage.transaction() as tx:
        await tx.add_handshake(name, sealed, deps.now() + HANDSHAKE_LIVES_FOR)
    return nonce


async def fetch(deps: Deps, nonce: str) -> list[str] | None:
    """The cookies that were kept under a word, or None."""
    name = digest(deps.instance.id, "handshake", nonce)
    async with deps.storage.reading() as tx:
        sealed = await tx.handshake(name, deps.now())
    try:
        return _strings.decode(deps.sealer.open(f"handshake/{name.hex()}", sealed or b""))
    except CannotOpen:
        return None


async def name_browser(deps: Deps, client_id: str) -> str:
    """A new token by which a development instance will know a client's browser.

    New, never one that came in a URL: whoever sent the URL may know that one, and would
    be signed in as the person who followed it.
    """
    token = await clients.add_dev_browser(deps)
    async with deps.storage.transaction() as tx:
        await tx.attach_dev_browser(digest(deps.instance.id, "dev-browser", token), client_id)
    return token

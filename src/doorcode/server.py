"""The composition root: settings in, a running server out. Everything is built here, once."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from doorcode import instance_keys, live_routes
from doorcode.delivery.courier import Courier
from doorcode.delivery.inbox import Inbox
from doorcode.domain.instance import Instance, ShieldMode
from doorcode.domain.limits import SECOND
from doorcode.domain.origins import Origins, is_loopback
from doorcode.flows.deps import Deps
from doorcode.flows.me import find_image
from doorcode.instance_keys import Keys
from doorcode.live_keys import LiveKeys
from doorcode.live_routes import LiveRoutes
from doorcode.live_settings import LiveSettings
from doorcode.observation import Observation
from doorcode.security.codes import Codes
from doorcode.security.rate_limits import RateLimits
from doorcode.security.sealing import Sealer
from doorcode.security.testing_tokens import TestingTokens
from doorcode.security.tickets import Tickets
from doorcode.security.turnstile import Turnstile
from doorcode.settings import Settings
from doorcode.storage.interface import Storage, Unavailable
from doorcode.storage.sqlite import Sqlite
from doorcode.web import backend_api, images, receipts, sdk_files
from doorcode.web.app import App
from doorcode.web.boundary import Boundary
from doorcode.web.door import Door
from doorcode.web.metrics import Metrics
from doorcode.web.metrics import routes as metric_routes
from doorcode.web.pages import routes as pages

CLEAN_EVERY_SECONDS = 60
CLEAN_ROWS = 500

log = structlog.get_logger("doorcode")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready to answer. `inbox_token` is set where the inbox asks for one."""

    app: App
    keys: Keys
    inbox_token: str | None
    warnings: tuple[str, ...]


def now() -> int:
    """The time, in milliseconds."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncIterator[Server]:
    """Open the database, make what is missing, and start the courier and the cleaning."""
    storage = open_storage(settings)
    try:
        live = LiveSettings(settings, storage, partial(live_routes.expect_usable, os.environ))
        # Before the keys: a start that is refused must not use up the one showing of the secret.
        await live.open()
        keys = await instance_keys.open_keys(storage, settings, now())
        instance = await live.start(keys.instance_id)
        sealer = Sealer(keys.master, keys.instance_id)
        inbox = Inbox(development=True) if settings.development else None
        routes_now = LiveRoutes(settings, inbox, instance.delivery, os.environ)
        courier = _courier(settings, storage, sealer, routes_now, inbox)
        live_keys = LiveKeys(storage, sealer, settings.issuer, keys.signing)
        bot_check = _bot_check(settings)
        metrics = Metrics()
        observe = Observation(metrics.count, now, development=settings.development)
        deps = _deps(instance, storage, keys, live_keys, sealer, courier, bot_check, observe)
        routes_now.current = lambda: deps.instance.delivery
        door = Door(
            deps,
            _boundary(settings),
            RateLimits(enabled=settings.network_limits),
            TestingTokens(keys.master, keys.instance_id),
        )
        inbox_token = _inbox_token(settings)
        routes = [
            *backend_api.routes(door),
            *metric_routes(door, metrics),
            *receipts.routes(door, routes_now.routing),
            *images.routes(partial(find_image, deps)),
            *sdk_files.routes(_sdk_directories(settings), settings.sdk_cdn),
            *pages(door, inbox, inbox_token),
        ]
        works = (courier.run(), live.run(deps), live_keys.run(deps), _clean(storage))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield Server(App(door, routes), keys, inbox_token, tuple(_warnings(settings, instance)))
        finally:
            await courier.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await live.close()
            await routes_now.close()
            if bot_check:
                await bot_check.close()
    finally:
        await storage.close()


def open_storage(settings: Settings) -> Sqlite:
    """The database in the data directory, which only its owner can read."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = settings.data / "doorcode.db"
        file.touch(mode=0o600)
        return Sqlite(file)
    except OSError as error:
        raise Unavailable(
            f"The data directory {settings.data} cannot be used ({error.strerror}). "
            "Set DOORCODE_DATA to a directory that can be written."
        ) from error


def _courier(
    settings: Settings,
    storage: Storage,
    sealer: Sealer,
    routes: LiveRoutes,
    inbox: Inbox | None,
) -> Courier:
    return Courier(
        storage,
        sealer,
        routes.routing,
        inbox,
        now,
        log,
        jitter=random.random,
        is_stopped=lambda: routes.current().is_stopped,
        callback_url=partial(_callback_url, settings),
    )


def _deps(
    instance: Instance,
    storage: Storage,
    keys: Keys,
    live_keys: LiveKeys,
    sealer: Sealer,
    courier: Courier,
    bot_check: Turnstile | None,
    observe: Observation,
) -> Deps:
    return Deps(
        storage=storage,
        instance=instance,
        codes=Codes(keys.master, keys.instance_id),
        tickets=Tickets(keys.master, keys.instance_id),
        tokens=live_keys.tokens(),
        sealer=sealer,
        post=courier,
        now=now,
        bot_check=bot_check,
        observe=observe,
    )


def _bot_check(settings: Settings) -> Turnstile | None:
    if not settings.turnstile_secret:
        return None
    pages = {urlsplit(url).hostname or "" for url in (settings.url, *settings.origins)}
    hosts = None if settings.development else frozenset(pages)
    return Turnstile(settings.turnstile_secret, settings.turnstile_url, hosts)


def _boundary(settings: Settings) -> Boundary:
    hosts = None
    if settings.development:
        listens_on = f"[{settings.host}]" if ":" in settings.host else settings.host
        named = {listens_on.lower(), *_host_of(settings.url)} - {""}
        hosts = frozenset({"localhost", "127.0.0.1", "[::1]", *named})
    return Boundary(
        url=settings.url,
        publishable_key=settings.publishable_key,
        origins=Origins(frozenset(settings.origins), loopback=settings.development),
        hosts=hosts,
        address_hosts=_is_wildcard(settings.host),
        cookie_domain=settings.cookie_domain,
        trusted_proxies=settings.trusted_proxies,
    )


def _host_of(url: str) -> list[str]:
    name = urlsplit(url).hostname or ""
    return [f"[{name}]" if ":" in name else name]


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _inbox_token(settings: Settings) -> str | None:
    """Whoever can reach the inbox can sign in as anybody: beyond loopback it asks for a token."""
    listens_here = settings.host in ("", "127.0.0.1", "::1", "localhost")
    # A public DOORCODE_URL means that a tunnel or a proxy leads here from outside.
    if listens_here and is_loopback(settings.url):
        return None
    return secrets.token_urlsafe(24) if settings.development else None


def _callback_url(settings: Settings, route: str) -> str:
    """Where a provider tells what became of a letter; nobody outside reaches a loopback."""
    return "" if is_loopback(settings.url) else f"{settings.url}/v1/receipts/{route}"


def _sdk_directories(settings: Settings) -> list[Path]:
    given = [settings.sdk_directory] if settings.sdk_directory else []
    return [*given, settings.data / "sdk"]


def _warnings(settings: Settings, instance: Instance) -> list[str]:
    warnings = [f"DOORCODE_{name} is not a setting: is it misspelled?" for name in settings.unknown]
    directory = settings.sdk_directory
    if directory and not (directory / "clerk-js" / "dist").is_dir():
        # Not refused: an app's packages may be installed after this server has started.
        warnings.append(
            f"DOORCODE_SDK_DIR is {directory}, which holds no clerk-js/dist yet: name a directory "
            "such as node_modules/@clerk in an app where @clerk/clerk-js and @clerk/ui are "
            "installed. Until then browsers are sent to DOORCODE_SDK_CDN."
        )
    if settings.development:
        return warnings
    if not directory and not (settings.data / "sdk" / "clerk-js").is_dir():
        warnings.append(
            f"Browsers load the SDK's scripts from {settings.sdk_cdn}. `doorcode sdk install` "
            "lets this server hand them out itself."
        )
    warnings += [
        f"{host} cannot see the cookies of {urlsplit(settings.url).hostname}: set "
        "DOORCODE_COOKIE_DOMAIN to the domain above both, unless that app carries /__clerk itself."
        for host in _apart(settings)
    ]
    warnings += [
        f"{origin} is not https: anybody on the way can rewrite its pages, and those may act for "
        "whoever is signed in. Serve the app by https and name that in DOORCODE_ORIGINS."
        for origin in sorted(settings.origins)
        if origin.startswith("http://") and not is_loopback(origin)
    ]
    if settings.test_mode:
        warnings.append(
            "DOORCODE_TEST_MODE is on: anybody can sign up with a test identifier and the "
            "code 424242. Turn it off where real people sign in."
        )
    warnings += _unsent(settings, instance)
    if instance.shield.mode is ShieldMode.RECORD:
        warnings.append(
            "shield.mode is record: text messages that look like an attack are sent and paid for."
        )
    if not settings.trusted_proxies:
        warnings.append(
            "DOORCODE_TRUSTED_PROXIES is empty: behind a proxy all people share the limits of "
            "one address. Name the proxy's network."
        )
    if not settings.url.startswith("https://"):
        warnings.append("DOORCODE_URL is not https: cookies are sent without Secure.")
    return warnings


def _unsent(settings: Settings, instance: Instance) -> list[str]:
    """The channels that people may use and nothing carries."""
    carried, unsent = instance.delivery.carriers(settings.routes), []
    if "email" not in carried:
        unsent.append(
            "No e-mail can be sent: set DOORCODE_SMTP_URL and DOORCODE_MAIL_FROM, or "
            "delivery.email to a route; see docs/providers.md."
        )
    if "sms" not in carried and instance.phone.enabled:
        unsent.append(
            "No text message can be sent: set delivery.sms to a route, such as "
            '[{"provider": "twilio", …}]; see docs/providers.md.'
        )
    return unsent


def _apart(settings: Settings) -> list[str]:
    """The hosts of apps whose pages this server's cookies do not reach."""
    own, domain = urlsplit(settings.url).hostname or "", settings.cookie_domain
    hosts = sorted({urlsplit(origin).hostname or "" for origin in settings.origins})
    return [
        host
        for host in hosts
        if host != own and not (domain and (host == domain or host.endswith(f".{domain}")))
    ]


async def _clean(storage: Storage) -> None:
    """Delete what has expired, in small units, for as long as the server runs."""
    while True:
        try:
            async with storage.transaction() as tx:
                deleted = await tx.delete_expired(now(), CLEAN_ROWS)
        except Exception as error:  # noqa: BLE001 - it must go on whatever happened once
            log.warning("cleaning failed", why=str(error))
            deleted = 0
        await asyncio.sleep(CLEAN_EVERY_SECONDS if deleted < CLEAN_ROWS else SECOND / 10_000)

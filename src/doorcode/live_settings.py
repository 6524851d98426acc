"""The instance's settings from all their places, and a watch over them while the server runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from doorcode.delivery import text_check
from doorcode.domain.bot_protection import BotProtection
from doorcode.domain.instance import Instance
from doorcode.domain.instance_settings import Problem, read, shown
from doorcode.domain.setting_layers import Layer, Layers
from doorcode.flows.deps import Deps
from doorcode.settings import BadSettings, Settings
from doorcode.settings_file import CannotRead, SettingsFile, reading_of
from doorcode.storage.interface import Storage, Transaction

LOOK_EVERY_SECONDS = 0.5
STORED_UNDER = "instance_settings"
TOLD_UNDER = "fixed_settings"

log = structlog.get_logger("doorcode")


class LiveSettings:
    """The layers of a running server, and the last instance that they made."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        expect_usable: Callable[[Instance], None] = lambda _: None,
    ) -> None:
        """`expect_usable` raises `BadSettings` where values fit, and still nothing can be made."""
        self.layers = Layers()
        self._expect_usable = expect_usable
        self._base = _base(settings)
        self._routes = settings.routes
        self._environment = Layer("DOORCODE_SETTINGS", settings.instance_settings)
        self._file = SettingsFile(settings.settings_file, settings.settings_file_required)
        self._storage = storage
        self._seen: tuple[bytes | None, str | None] | None = None
        self._told: bytes | None = None
        self._complaint = ""

    async def open(self) -> None:
        """Read all places; `BadSettings` where they make no instance."""
        try:
            text = self._file.read()
        except CannotRead as error:
            raise BadSettings([str(error)]) from error
        self._seen = await self._stored(), text
        self.layers, _ = self._make(*self._seen)

    async def start(self, instance_id: str) -> Instance:
        """The instance to start with, once it has an id."""
        self._base = replace(self._base, id=instance_id)
        await self._tell()
        return self.layers.build(self._base)

    async def run(self, deps: Deps) -> None:
        """Replace the instance whenever its settings change. What is wrong changes nothing."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                instance = await self.look()
            except Exception as error:  # noqa: BLE001 - it must go on whatever happened once
                self._complain([str(error)])
            else:
                deps.instance = instance or deps.instance

    async def look(self) -> Instance | None:
        """The instance that changed settings make; None where nothing changed or is wrong.

        Wrong values are complained of, and the last good ones stay.
        """
        try:
            seen = await self._stored(), self._file.read_settled()
            if seen == self._seen:
                return None
            self._seen = seen
            self.layers, instance = self._make(*seen)
        except CannotRead as error:
            self._complain([str(error)])
        except BadSettings as error:
            self._complain(error.problems)
        else:
            self._complaint = ""
            log.info("settings changed")
            await self._tell()
            return instance
        return None

    async def close(self) -> None:
        """Fix nothing any more: the next server may be started with other settings."""
        async with self._storage.transaction() as tx:
            await tx.save_setting(TOLD_UNDER, b"{}")

    def _make(self, stored: bytes | None, text: str | None) -> tuple[Layers, Instance]:
        from_file = reading_of(text, self._file.path)
        if from_file.problems:
            raise BadSettings([problem.text for problem in from_file.problems])
        fixed = (self._environment, Layer(str(self._file.path.absolute()), from_file.values))
        layers = _layers(fixed, decode(stored))
        problems = layers.problems(self._base)
        if problems:
            raise BadSettings([mend(problem, layers) for problem in problems])
        instance = layers.build(self._base)
        self._expect_usable(instance)
        return layers, instance

    async def _stored(self) -> bytes | None:
        async with self._storage.reading() as tx:
            return await tx.setting(STORED_UNDER)

    async def _tell(self) -> None:
        """Leave word of what is fixed, for commands that run in another environment."""
        # Without credentials: what the environment keeps out of the database stays out of it.
        fixed = {layer.where: shown(layer.values) for layer in self.layers.fixed}
        told = _encode(
            {
                "development": self._base.development,
                "name": self._base.name,
                "url": self._base.url,
                "origins": self._base.origins,
                "test_mode": self._base.test_mode,
                "routes": self._routes,
                "turnstile": self._base.bot_protection.has_secret,
                "fixed": fixed,
                # One is enough to say that there is a list.
                "disposable_domains": sorted(self._base.disposable_domains)[:1],
            }
        )
        if told != self._told:
            async with self._storage.transaction() as tx:
                await tx.save_setting(TOLD_UNDER, told)
            self._told = told

    def _complain(self, problems: list[str]) -> None:
        # Once for each mistake, not at every look.
        complaint = " ".join(problems)
        if complaint != self._complaint:
            log.warning("settings not applied, the last good ones stay", why=complaint)
        self._complaint = complaint


async def layers_beside(
    tx: Transaction, settings: Settings, instance_id: str
) -> tuple[Layers, Instance]:
    """The layers as a command sees them, and the instance before them.

    What the running server said is fixed counts first: it may have been started in another
    directory and environment than the command.
    """
    told = decode(await tx.setting(TOLD_UNDER))
    development = bool(told.get("development", settings.development))
    has_secret = bool(told.get("turnstile", settings.turnstile_secret))
    file = SettingsFile(settings.settings_file, settings.settings_file_required)
    from_file = reading_of(file.read(), file.path)
    own = [
        Layer("DOORCODE_SETTINGS", settings.instance_settings),
        Layer(str(file.path.absolute()), from_file.values),
    ]
    fixed = [Layer(where, read(values).values) for where, values in told.get("fixed", {}).items()]
    stored = decode(await tx.setting(STORED_UNDER))
    domains = frozenset(told.get("disposable_domains", settings.disposable_domains))
    base = Instance(
        id=instance_id,
        name=told.get("name", settings.name),
        url=told.get("url", settings.url),
        origins=tuple(told.get("origins", settings.origins)),
        development=development,
        test_mode=bool(told.get("test_mode", settings.test_mode)),
        disposable_domains=domains,
        bot_protection=BotProtection(has_secret=has_secret),
    )
    return _layers([*fixed, *own], stored), base


async def routes_beside(tx: Transaction, settings: Settings) -> tuple[dict[str, str], bool]:
    """Who carries what, by channel, and whether a server said so rather than these settings."""
    told = decode(await tx.setting(TOLD_UNDER))
    return (told["routes"], True) if "routes" in told else (settings.routes, False)


async def save(tx: Transaction, layers: Layers) -> None:
    """Store what these layers say is stored; a running server applies it at its next look."""
    await tx.save_setting(STORED_UNDER, _encode(layers.stored))


def decode(stored: bytes | None) -> dict[str, Any]:
    """What was stored, plain, or `BadSettings`."""
    try:
        document = json.loads(stored or b"{}")
    except ValueError as error:
        raise BadSettings([f"The stored settings cannot be read: {error}."]) from error
    if not isinstance(document, dict):
        raise BadSettings(["The stored settings cannot be read: they are no map."])
    return document


def mend(problem: Problem, layers: Layers) -> str:
    """A problem with where its values come from, and the command that takes a stored one back."""
    stored = [key for key in problem.keys if key in layers.stored]
    fixed = {where: None for key in problem.keys if (where := layers.locked_by(key))}
    said = [problem.text]
    if fixed:
        said.append(f"Look into {' and '.join(fixed)}.")
    if stored:
        said.append(f"`doorcode settings unset {' '.join(stored)}` goes back to the default.")
    return " ".join(said)


def _layers(fixed: Iterable[Layer], stored: Mapping[str, Any]) -> Layers:
    return Layers(tuple(layer for layer in fixed if layer.values), stored, text_check.problems)


def _encode(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True).encode()


def _base(settings: Settings) -> Instance:
    return Instance(
        id="",
        name=settings.name,
        url=settings.url,
        origins=settings.origins,
        development=settings.development,
        test_mode=settings.test_mode,
        disposable_domains=settings.disposable_domains,
        bot_protection=BotProtection(has_secret=bool(settings.turnstile_secret)),
    )

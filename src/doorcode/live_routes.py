"""The routes of a running server: made from its settings, and made anew when these change."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from doorcode.delivery.interface import Provider
from doorcode.delivery.providers import registry
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.transport import Transport
from doorcode.delivery.routing import Health, Route, Routing
from doorcode.delivery.smtp import Smtp
from doorcode.domain.instance import Instance
from doorcode.domain.routes import CHANNELS, Delivery
from doorcode.settings import BadSettings, Settings


class LiveRoutes:
    """The routing for the settings of this moment; a route's health outlives their changes."""

    def __init__(
        self,
        settings: Settings,
        inbox: Provider | None,
        delivery: Delivery,
        environ: Mapping[str, str],
    ) -> None:
        """`environ` holds what routes name as `env:…`."""
        self._settings = settings
        self._inbox = inbox
        self._environ = environ
        self._transport = Transport()
        self._health = Health()
        self._made_of = delivery
        self._routing = self._make(delivery)
        self.current: Callable[[], Delivery] = lambda: delivery

    def routing(self) -> Routing:
        """The routes by which the next letter goes."""
        delivery = self.current()
        if delivery is not self._made_of:
            self._made_of = delivery
            self._routing = self._make(delivery)
        return self._routing

    async def close(self) -> None:
        """Let go of the connections to providers."""
        await self._transport.close()

    def _make(self, delivery: Delivery) -> Routing:
        made = routes_of(delivery, self._transport, self._environ)
        usual = self._usual()
        routes = {channel: made.get(channel) or usual.get(channel, []) for channel in CHANNELS}
        return Routing(routes, delivery.ladder, self._health)

    def _usual(self) -> dict[str, list[Route]]:
        """What carries a channel for which no route is set."""
        usual: dict[str, list[Route]] = {}
        if self._inbox:
            channels = ("sms", "whatsapp", "email")
            usual = {one: [Route("inbox", one, self._inbox)] for one in channels}
        if self._settings.smtp_url:
            smtp = Smtp(self._settings.smtp_url, self._settings.mail_from)
            usual["email"] = [Route("smtp", "email", smtp)]
        return usual


def expect_usable(environ: Mapping[str, str], instance: Instance) -> None:
    """Refuse settings that make no routes, before they count."""
    routes_of(instance.delivery, Transport(), environ)


def expect_plausible(delivery: Delivery) -> None:
    """Refuse what can make no routes in any environment, where the server has another one."""
    routes_of(delivery, Transport(), None)


def routes_of(
    delivery: Delivery, transport: Transport, environ: Mapping[str, str] | None
) -> dict[str, list[Route]]:
    """The routes that are set, by channel; `BadSettings` names each setting that makes none."""
    made: dict[str, list[Route]] = {}
    problems = []
    for channel in CHANNELS:
        try:
            made[channel] = registry.routes(channel, delivery.of(channel), transport, environ)
        except BadOptions as error:
            problems.append(f"delivery.{channel}: {error}.")
    names = [route.name for routes in made.values() for route in routes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        # A receipt names its route and nothing else.
        problems.append(f"delivery: two routes are named {twice[0]}; give one another name.")
    if problems:
        raise BadSettings(problems)
    return made

"""The providers by name: our own, and those that another package brings by an entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from doorcode.delivery.interface import Provider
from doorcode.delivery.providers.aws_ses import AwsSes
from doorcode.delivery.providers.aws_sns import AwsSns
from doorcode.delivery.providers.http import Http
from doorcode.delivery.providers.mailgun import Mailgun
from doorcode.delivery.providers.meta_whatsapp import MetaWhatsapp
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.postmark import Postmark
from doorcode.delivery.providers.resend import Resend
from doorcode.delivery.providers.sendgrid import Sendgrid
from doorcode.delivery.providers.telnyx import Telnyx
from doorcode.delivery.providers.transport import Transport
from doorcode.delivery.providers.twilio import Twilio
from doorcode.delivery.providers.vonage import Vonage
from doorcode.delivery.routing import Route
from doorcode.delivery.smtp import Smtp
from doorcode.domain.routes import FROM_ENVIRONMENT

GROUP = "doorcode.providers"

Maker = Callable[[Mapping[str, Any], Transport], Provider]

# For which channels, and how it is made from its options.
OURS: Mapping[str, tuple[frozenset[str], Maker]] = {
    "aws_ses": (frozenset({"email"}), AwsSes),
    "aws_sns": (frozenset({"sms"}), AwsSns),
    "http": (frozenset({"sms", "whatsapp", "voice", "email"}), Http),
    "mailgun": (frozenset({"email"}), Mailgun),
    "meta_whatsapp": (frozenset({"whatsapp"}), MetaWhatsapp),
    "postmark": (frozenset({"email"}), Postmark),
    "resend": (frozenset({"email"}), Resend),
    "sendgrid": (frozenset({"email"}), Sendgrid),
    "smtp": (frozenset({"email"}), Smtp.of_route),
    "telnyx": (frozenset({"sms"}), Telnyx),
    "twilio": (frozenset({"sms", "whatsapp"}), Twilio),
    "vonage": (frozenset({"sms", "whatsapp"}), Vonage),
}


def routes(
    channel: str,
    given: Sequence[Mapping[str, Any]],
    transport: Transport,
    environ: Mapping[str, str],
) -> list[Route]:
    """The routes of a channel from its setting; `BadOptions` names the one that is wrong."""
    made: list[Route] = []
    for number, options in enumerate(given, start=1):
        own = dict(options)
        name = own.pop("name", None) or _free_name(str(own.get("provider")), channel, made)
        countries = frozenset(own.pop("countries", ()))
        try:
            provider = make(channel, _filled(own, environ), transport)
        except BadOptions as error:
            raise BadOptions(f"route {number} ({name}): {error}") from None
        made.append(Route(name, channel, provider, countries))
    return made


def _free_name(provider: str, channel: str, made: Sequence[Route]) -> str:
    """`twilio`, `twilio-whatsapp`, `twilio-2`: a name tells one route, also between channels."""
    channels, _ = OURS.get(provider, (frozenset({channel}), None))
    base = provider if channel == "sms" or len(channels) == 1 else f"{provider}-{channel}"
    taken = {route.name for route in made}
    return next(one for one in (base, *(f"{base}-{n}" for n in range(2, 99))) if one not in taken)


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    """Options with what stands in the environment: `env:NAME` keeps a secret out of a setting."""
    if isinstance(value, str) and value.startswith(FROM_ENVIRONMENT):
        name = value.removeprefix(FROM_ENVIRONMENT)
        if not environ.get(name):
            raise BadOptions(f"the environment variable {name} is not set; set it")
        return environ[name]
    if isinstance(value, Mapping):
        return {key: _filled(one, environ) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(one, environ) for one in value]
    return value


def make(channel: str, given: Mapping[str, Any], transport: Transport) -> Provider:
    """The provider that a route names, or `BadOptions`."""
    options = dict(given)
    name = options.pop("provider", None)
    if not isinstance(name, str):
        raise BadOptions(f'a route names its provider, such as {{"provider": "http"}}; {_known()}')
    maker = _maker(name, channel)
    return maker(options, transport)


def _maker(name: str, channel: str) -> Maker:
    if name in OURS:
        channels, maker = OURS[name]
        if channel not in channels:
            raise BadOptions(f"{name} carries {', '.join(sorted(channels))}, not {channel}")
        return maker
    for point in entry_points(group=GROUP, name=name):
        try:
            brought: Maker = point.load()
        except Exception as error:  # whatever another package raises
            raise BadOptions(
                f"{name} cannot be loaded from {point.value} ({type(error).__name__}); "
                "install its package anew"
            ) from error
        return brought
    raise BadOptions(f"there is no provider {name!r}; {_known()}")


def _known() -> str:
    names = sorted({*OURS, *entry_points(group=GROUP).names})
    return f"there are {', '.join(names)}"

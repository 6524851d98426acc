"""The providers by name: our own, and those that another package brings by an entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from doorcode.delivery.interface import Provider
from doorcode.delivery.providers.http import Http
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.transport import Transport

GROUP = "doorcode.providers"

Maker = Callable[[Mapping[str, Any], Transport], Provider]

# For which channels, and how it is made from its options.
OURS: Mapping[str, tuple[frozenset[str], Maker]] = {
    "http": (frozenset({"sms", "whatsapp", "email"}), Http),
}


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
        brought: Maker = point.load()
        return brought
    raise BadOptions(f"there is no provider {name!r}; {_known()}")


def _known() -> str:
    names = sorted({*OURS, *entry_points(group=GROUP).names})
    return f"there are {', '.join(names)}"

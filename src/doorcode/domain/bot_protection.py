"""Whether somebody who signs up must first show that there is a person.

The check itself is made elsewhere (`security/turnstile.py`); here is when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """When a challenge must be solved."""

    OFF = "off"
    WHEN_ASKED = "when_asked"
    ALWAYS = "always"


class Widget(StrEnum):
    """How a challenge shows itself, by its name on the wire."""

    SMART = "smart"
    INVISIBLE = "invisible"


@dataclass(frozen=True, slots=True)
class BotProtection:
    """When a challenge is asked for, and the public keys of its widgets.

    `has_secret` is no setting: it says whether the server could check an answer at all.
    """

    mode: Mode = Mode.OFF
    site_key: str = ""
    invisible_site_key: str = ""
    widget_type: Widget = Widget.SMART
    has_secret: bool = False

    @property
    def can_ask(self) -> bool:
        """Whether a limit may ask for a challenge instead of refusing at once."""
        return self.mode is not Mode.OFF

    @property
    def is_always_asked(self) -> bool:
        """Whether nobody signs up without one."""
        return self.mode is Mode.ALWAYS

    @property
    def invisible_key(self) -> str:
        """The key of the widget that shows nothing: one of its own, else the usual one."""
        return self.invisible_site_key or self.site_key

    @property
    def page_key(self) -> str:
        """The key of the widget on the hosted pages."""
        return self.site_key if self.widget_type is Widget.SMART else self.invisible_key

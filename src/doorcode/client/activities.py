"""Where else a user is signed in: their sessions on all devices."""

from __future__ import annotations

from datetime import datetime
from typing import Generic

from msgspec import field

from doorcode.client.flow import D, Flow, flow
from doorcode.client.live import Live
from doorcode.client.resources import Resource, moment
from doorcode.client.wire import segment


class SessionActivity(Resource, frozen=True, kw_only=True):
    """What a browser told of itself when somebody signed in: to show, not to trust."""

    id: str
    browser_name: str | None = None
    browser_version: str | None = None
    device_type: str | None = None
    ip_address: str | None = None
    city: str | None = None
    country: str | None = None
    is_mobile: bool = False


class SessionWithActivities(Live[D], Generic[D], frozen=True, kw_only=True, dict=True):
    """A session of the user, on this device or another."""

    id: str
    status: str
    latest_activity: SessionActivity | None = None
    expire_at_ms: int | None = field(default=None, name="expire_at")
    last_active_at_ms: int | None = field(default=None, name="last_active_at")

    @property
    def expire_at(self) -> datetime | None:
        """When the session ends at the latest, in UTC."""
        return moment(self.expire_at_ms)

    @property
    def last_active_at(self) -> datetime | None:
        """When the session was last used, in UTC."""
        return moment(self.last_active_at_ms)

    @flow
    def revoke(self) -> Flow[None]:
        """End the session, wherever it is; its tokens run out within a minute."""
        answer = yield from self._post(f"/me/sessions/{segment(self.id)}/revoke")
        self._become(answer.resource)

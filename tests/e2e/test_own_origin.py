"""The app as it is, with the settings as `doorcode dev` prints them.

The browser reaches the server on the server's own origin, across origins, and the app's
rewrites lie unused. Only the environment differs from the other tests.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.e2e


def test_sign_up_and_sign_in_by_phone(visitor_apart, server, traffic, inbox, new_phone):
    visitor, phone = visitor_apart, new_phone()

    visitor.sign_up(lambda: inbox.code(phone), phone=phone)
    user_id = visitor.user_id()
    visitor.sees("phone-number", phone)
    assert f'data-testid="user-id">{user_id}<' in visitor.open("/dashboard").text()

    visitor.sign_out()
    visitor.is_refused_the_dashboard()
    visitor.sign_in(lambda: inbox.code(phone), phone=phone)
    assert visitor.user_id() == user_id

    asked = {
        (urlsplit(url).netloc, urlsplit(url).path.split("/")[1])
        for url in traffic.urls
        if url.startswith("http")
    }
    own = urlsplit(server.url).netloc
    assert {(own, "v1"), (own, "npm")} <= asked
    assert not [path for _, path in asked if path == "__clerk"]

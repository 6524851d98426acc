"""The handshake with the example app on the real @clerk/nextjs, under each sort of settings.

    production cookies across subdomains    clerk.shop.localhost and app.shop.localhost, https
    development keys                        a key whose host ends in .accounts.dev
    the SDK's own proxy                     clerkMiddleware carries the Frontend API

Every test has a server, a copy of the app and a browser of its own. The states in which
cookies can be stale are gone through in test_handshake_states.py.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Page, expect, sync_playwright
from tests.e2e.processes import (
    CHROMIUM_FLAGS,
    ROOT,
    Background,
    Traffic,
    clean_environment,
    free_port,
    kept_running,
    pictured_page,
    printed_settings,
)

from doorcode.security import api_keys

pytestmark = pytest.mark.e2e

EXAMPLE = ROOT / "examples" / "nextjs"
RESULTS = ROOT / "test-results" / "e2e"
HANDSHAKE = "/v1/client/handshake"
SESSION = re.compile(r"^__session")
CODE = "424242"

# All that an app changes to have the SDK itself carry the Frontend API.
SDK_PROXY = """
import { clerkMiddleware, createRouteMatcher } from '@clerk/nextjs/server'

const needsSignIn = createRouteMatcher(['/dashboard(.*)'])

export default clerkMiddleware(
  async (auth, request) => {
    if (needsSignIn(request)) await auth.protect()
  },
  { signInUrl: '/sign-in', signUpUrl: '/sign-up', frontendApiProxy: { enabled: true } },
)

export const config = {
  matcher: [
    '/((?!_next|[^?]*\\\\.(?:css|js|map|svg|png|ico|txt|webmanifest)$).*)',
    '/__clerk/(.*)', // the SDK's scripts too
  ],
}
"""
NO_REWRITES = "export default { turbopack: { root: import.meta.dirname } }\n"


# ── a server, an app, a browser ───────────────────────────────────────────────────────
@dataclass(frozen=True)
class Doorcode:
    port: int
    settings: dict[str, str]
    data: Path

    @property
    def authority(self) -> Path:
        return self.data / "tls" / "ca.pem"


@dataclass
class Stage:
    """Where a test starts what it needs; all of it ends with the test."""

    home: Path
    sdk: Path
    chromium: str
    running: list[Background]
    node: pytest.Item
    open: ExitStack

    def doorcode(self, **settings: str) -> Doorcode:
        port = free_port()
        data = self.home / "data"
        settings = {name: value.replace("PORT", str(port)) for name, value in settings.items()}
        process = self.open.enter_context(
            kept_running(
                self.running,
                "doorcode dev",
                [str(Path(sys.executable).with_name("doorcode")), "dev", "--port", str(port)],
                self.home / "server.log",
                env=clean_environment(
                    DOORCODE_DATA=str(data),
                    DOORCODE_LIMITS_NETWORK="off",
                    DOORCODE_SDK_DIR=str(self.sdk),
                    **settings,
                ),
            )
        )
        process.wait_until(lambda: "Ctrl-C" in process.output(), seconds=30)
        return Doorcode(port, printed_settings(process.output()), data)

    def app(
        self,
        settings: dict[str, str],
        *,
        host: str = "localhost",
        server: Doorcode | None = None,
        files: dict[str, str] | None = None,
    ) -> str:
        """A copy of the example under `next dev`; https where a server with TLS is given."""
        copy = _copy_of_example(self.home / "app")
        for name, content in (files or {}).items():
            (copy / name).write_text(content)
        port = free_port()
        command = ["node", "node_modules/next/dist/bin/next", "dev", "--port", str(port)]
        command += ["--hostname", "localhost"]
        if server:
            tls = server.data / "tls"
            command += ["--experimental-https"]
            command += ["--experimental-https-key", str(tls / "server.key")]
            command += ["--experimental-https-cert", str(tls / "server.pem")]
            command += ["--experimental-https-ca", str(server.authority)]
            settings = settings | {"NODE_EXTRA_CA_CERTS": str(server.authority)}
        quiet = {"NEXT_TELEMETRY_DISABLED": "1", "NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED": "1"}
        process = self.open.enter_context(
            kept_running(
                self.running,
                "next dev",
                command,
                self.home / "app.log",
                cwd=copy,
                env=clean_environment(**quiet, **settings),
            )
        )
        scheme = "https" if server else "http"
        trusted = str(server.authority) if server else True
        url = f"{scheme}://localhost:{port}/sign-up"
        process.wait_until(lambda: _answers(url, trusted), seconds=90)
        return f"{scheme}://{host}:{port}"

    def page(self, traffic: Traffic, hosts: set[str], *, believes: Path | None = None) -> Page:
        """A page in a browser that finds this machine alone, under the names of `hosts`.

        The browser believes the certificate in `believes` and no other unknown one.
        """
        rules = ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in hosts)])
        flags = [one for one in CHROMIUM_FLAGS if "host-resolver-rules" not in one]
        flags.append(f"--host-resolver-rules={rules}")
        if believes:
            flags.append(f"--ignore-certificate-errors-spki-list={_key_of(believes)}")
        playwright = self.open.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=self.chromium, args=flags)
        self.open.callback(browser.close)
        context = browser.new_context(locale="en-US", viewport={"width": 420, "height": 860})
        traffic.watch(context)
        return self.open.enter_context(pictured_page(context, self.node, RESULTS))


def _copy_of_example(target: Path) -> Path:
    """The example with its packages: two apps cannot be built in one directory at once."""

    def link(source: str, copy: str) -> None:
        try:
            os.link(source, copy)
        except OSError:  # another file system
            shutil.copy2(source, copy)

    built = shutil.ignore_patterns(".next", "node_modules", ".env*")
    shutil.copytree(EXAMPLE, target, ignore=built)
    modules = target / "node_modules"
    shutil.copytree(EXAMPLE / "node_modules", modules, copy_function=link, symlinks=True)
    return target


def _answers(url: str, trusted: str | bool) -> bool:
    try:
        return httpx.get(url, timeout=60, verify=_context(trusted)).status_code < 500
    except httpx.HTTPError:
        return False


def _context(trusted: str | bool) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=trusted) if isinstance(trusted, str) else trusted


def _key_of(certificate: Path) -> str:
    """The certificate's public key, as Chromium is told to believe it."""
    public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    encoded = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()


@pytest.fixture
def stage(
    sdk: Path,
    chromium: str,
    running: list[Background],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(tmp_path, sdk, chromium, running, request.node, stack)


@contextmanager
def handshakes(traffic: Traffic, expected: int) -> Iterator[None]:
    """How often the browser is sent to the server for a handshake within the block."""
    before = len(traffic.urls)
    yield
    asked = [url for url in traffic.urls[before:] if urlsplit(url).path.endswith(HANDSHAKE)]
    assert len(asked) == expected, asked


# ── tests ─────────────────────────────────────────────────────────────────────────────
def test_production_cookies_across_subdomains(stage, traffic, visit, new_test_phone):
    server = stage.doorcode(
        DOORCODE_TLS="on",
        DOORCODE_URL="https://clerk.shop.localhost:PORT",
        DOORCODE_COOKIE_DOMAIN="shop.localhost",
    )
    key = server.settings["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"]
    assert key == api_keys.publishable_key(f"clerk.shop.localhost:{server.port}")
    app = stage.app(
        {
            "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": key,
            "CLERK_SECRET_KEY": server.settings["CLERK_SECRET_KEY"],
            # Node.js asks the system for addresses, and not every system knows *.localhost.
            "CLERK_API_URL": f"https://localhost:{server.port}",
        },
        host="app.shop.localhost",
        server=server,
    )
    hosts = {"clerk.shop.localhost", "app.shop.localhost"}
    page = stage.page(traffic, hosts, believes=server.data / "tls" / "server.pem")
    visitor, cookies = visit(page, app), page.context

    with handshakes(traffic, 0):
        visitor.sign_up(lambda: CODE, phone=new_test_phone())
        user = visitor.user_id()
        assert f'data-testid="user-id">{user}<' in visitor.open("/dashboard").text()
    domains = {cookie["name"]: cookie["domain"] for cookie in cookies.cookies()}
    assert domains["__client_uat"] == ".shop.localhost"
    assert domains["__client"] == "clerk.shop.localhost"
    assert domains["__session"] == "app.shop.localhost"

    for lost in (SESSION, re.compile("^__client_uat")):
        page.goto("about:blank")  # no script of the SDK is left to write the cookie
        cookies.clear_cookies(name=lost)
        with handshakes(traffic, 1):
            answer = visitor.open("/dashboard")
            assert f'data-testid="user-id">{user}<' in answer.text()
        with handshakes(traffic, 0):
            assert visitor.open("/dashboard").status == 200

    visitor.sign_out()
    with handshakes(traffic, 0):
        visitor.is_refused_the_dashboard()
    assert traffic.hosts == hosts
    assert traffic.errors == []


def test_development_keys_with_the_development_browser(stage, traffic, visit, new_test_phone):
    key = api_keys.publishable_key("shop.clerk.accounts.dev", live=False)
    server = stage.doorcode(DOORCODE_PUBLISHABLE_KEY=key)
    assert server.settings["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"] == key
    app = stage.app(server.settings)
    page = stage.page(traffic, {"localhost"})
    visitor, cookies = visit(page, app), page.context

    with handshakes(traffic, 1):
        assert visitor.open("/").url == f"{app}/"
    with handshakes(traffic, 0):
        visitor.sign_up(lambda: CODE, phone=new_test_phone())
        user = visitor.user_id()
        assert f'data-testid="user-id">{user}<' in visitor.open("/dashboard").text()
    assert any("__clerk_db_jwt=" in url and "/v1/client" in url for url in traffic.urls)

    for lost in (SESSION, re.compile("^__clerk_db_jwt")):
        page.goto("about:blank")
        cookies.clear_cookies(name=lost)
        with handshakes(traffic, 1):
            answer = visitor.open("/dashboard")
            assert f'data-testid="user-id">{user}<' in answer.text()
        with handshakes(traffic, 0):
            visitor.open("/")
            visitor.sees_signed_in()

    visitor.sign_out()
    with handshakes(traffic, 0):
        visitor.is_refused_the_dashboard()

    # Who signs up on the server's own pages is signed in for the app's server and for its
    # scripts alike: clerk-js must be given a token that names this person.
    page.goto(f"{server.settings['CLERK_API_URL']}/sign-up?redirect_url={app}/dashboard")
    page.get_by_role("textbox").fill(new_test_phone())
    page.get_by_role("button").first.click()
    page.get_by_role("textbox").fill(CODE)
    with handshakes(traffic, 1):
        page.get_by_role("button").first.click()
        visitor.arrives("/dashboard")
        other = visitor.user_id()
    assert other != user
    visitor.open("/")
    visitor.sees_signed_in()
    assert f'data-testid="user-id">{other}<' in visitor.open("/dashboard").text()
    visitor.sign_out()
    visitor.is_refused_the_dashboard()

    assert traffic.hosts == {"localhost"}
    assert traffic.errors == []


@pytest.mark.slow  # the rest of it is test_server_side.py through another carrier
def test_the_sdk_s_own_proxy(stage, traffic, visit, new_test_phone):
    server = stage.doorcode()
    app = stage.app(
        {
            "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": server.settings[
                "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"
            ],
            "CLERK_SECRET_KEY": server.settings["CLERK_SECRET_KEY"],
            "CLERK_API_URL": server.settings["CLERK_API_URL"],
            "CLERK_FAPI_URL": server.settings["CLERK_API_URL"],
            "NEXT_PUBLIC_CLERK_PROXY_URL": "/__clerk",
        },
        files={"proxy.ts": SDK_PROXY, "next.config.ts": NO_REWRITES},
    )
    page = stage.page(traffic, {"localhost"})
    visitor, cookies = visit(page, app), page.context

    with handshakes(traffic, 0):
        visitor.sign_up(lambda: CODE, phone=new_test_phone())
        user = visitor.user_id()
        assert f'data-testid="user-id">{user}<' in visitor.open("/dashboard").text()

    page.goto("about:blank")
    cookies.clear_cookies(name=SESSION)
    with handshakes(traffic, 1):
        answer = visitor.open("/dashboard")
        assert f'data-testid="user-id">{user}<' in answer.text()
    with handshakes(traffic, 0):
        assert visitor.open("/dashboard").status == 200

    visitor.sign_out()
    visitor.is_refused_the_dashboard()
    # The browser was never anywhere but at the app.
    assert {urlsplit(url).netloc for url in traffic.urls if url.startswith("http")} == {
        urlsplit(app).netloc
    }
    assert traffic.errors == []
    expect(page).to_have_url(re.compile(rf"^{re.escape(app)}/sign-in"))

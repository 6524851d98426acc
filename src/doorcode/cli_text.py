"""What a person reads in the terminal: the lines of a server that starts, and complaints."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from doorcode import __version__
from doorcode.domain.limits import SECOND
from doorcode.server import Server
from doorcode.settings import Settings

DOLLAR = 1_000_000  # millionths, as money is counted


def greet_developer(settings: Settings, server: Server, ca: Path | None) -> str:
    """What `doorcode dev` prints before its first answer. `ca` is set where it speaks https."""
    url = settings.url
    inbox = f"{url}/inbox" + (f"?token={server.inbox_token}" if server.inbox_token else "")
    lines = [
        "",
        f"  Doorcode {__version__} is running in development mode.",
        "",
        f"  Sign-up page   {url}/sign-up",
        f"  Inbox          {inbox}   (every code lands here)",
        f"  Data           {settings.data}",
        "",
        "  For a Next.js app, put these lines into its .env.local (others: docs/sdks.md):",
        "",
        *_env_lines(settings, server),
        "",
        *(_about_tls(ca) if ca else []),
        "  Ctrl-C stops it.",
        "",
    ]
    if server.inbox_token:
        where = settings.host or "loopback"
        warning = f"  WARNING: {url} on {where}: others can reach this development server."
        lines.insert(2, f"{warning} DOORCODE_URL is the address that they use.")
    return "\n".join(lines)


def greet_operator(settings: Settings, server: Server) -> str:
    """What `doorcode serve` prints before its first answer."""
    lines = [f"Doorcode {__version__} serves {settings.url} on {settings.host}:{settings.port}"]
    if server.keys.secret_key:
        lines.append("The first secret key has been made. It is shown this once; keep it safe.")
    lines += _env_lines(settings, server)
    return "\n".join(lines)


def complain(title: str, problems: Sequence[str]) -> None:
    """Say on standard error what is not possible, and each reason."""
    print(title, file=sys.stderr)
    for problem in problems:
        print(f"  - {problem}", file=sys.stderr)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def dollars(millionths: float) -> str:
    """An amount of money, to the tenth of a cent where there is one."""
    return f"${millionths / DOLLAR:.3f}".removesuffix("0")


def time_text(milliseconds: int) -> str:
    """A moment, to the second, in UTC."""
    return datetime.fromtimestamp(milliseconds // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def span(seconds: int) -> str:
    """How long something takes, rounded up: nobody comes back too early."""
    if seconds < 90:
        return f"{seconds} s"
    if seconds < 90 * 60:
        return f"{-(-seconds // 60)} min"
    return f"{-(-seconds // 3600)} h"


def _env_lines(settings: Settings, server: Server) -> list[str]:
    """The settings of an app, one a line and nothing else on it: scripts read them."""
    npm = f"{settings.url}/npm/@clerk"
    secret = server.keys.secret_key
    # The SDKs find an https server by its key alone.
    by_key = not settings.development and settings.url == settings.issuer
    return [
        f"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY={settings.publishable_key}",
        *([f"CLERK_SECRET_KEY={secret}"] if secret else []),
        *([] if by_key else [f"NEXT_PUBLIC_CLERK_PROXY_URL={settings.url}"]),
        *([] if by_key else [f"NEXT_PUBLIC_CLERK_JS_URL={npm}/clerk-js@6/dist/clerk.browser.js"]),
        *([] if by_key else [f"NEXT_PUBLIC_CLERK_UI_URL={npm}/ui@1/dist/ui.browser.js"]),
        f"CLERK_API_URL={settings.url}",
    ]


def _about_tls(ca: Path) -> list[str]:
    return [
        "  Node.js reads this one when it starts, before any file: set it in the app's shell.",
        "",
        f"NODE_EXTRA_CA_CERTS={shlex.quote(str(ca.absolute()))}",
        "",
        "  Serve the app over https too (`next dev --experimental-https`): browsers send no",
        "  cookies from an http page to an https server. Add that certificate to the browser's",
        "  authorities once; it vouches for names of this machine only.",
        "",
    ]

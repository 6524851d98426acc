"""What an operator can set: read once, here, and passed on.

Every setting is an environment variable that starts with DOORCODE_. What is wrong is
said all at once, each with its name and its mend.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from doorcode import disposable_domains
from doorcode.delivery.smtp import parse_sender, parse_url
from doorcode.domain.instance_settings import read_json
from doorcode.domain.origins import origin_of
from doorcode.security import api_keys
from doorcode.security.master_key import BadMasterKey, MasterKey, parse
from doorcode.settings_file import CannotRead, SettingsFile, reading_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORT = 8787
DEFAULT_DATA = "./.doorcode"
DEFAULT_CDN = "https://cdn.jsdelivr.net"
DEFAULT_TURNSTILE = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
DEFAULT_SETTINGS_FILE = "doorcode.toml"
DEVELOPMENT_HOST = "doorcode.localhost"
KNOWN = frozenset(
    {
        "COOKIE_DOMAIN",
        "DATA",
        "DISPOSABLE_DOMAINS",
        "HOST",
        "LIMITS_NETWORK",
        "MAIL_FROM",
        "MASTER_KEY",
        "NAME",
        "ORIGINS",
        "PORT",
        "PUBLISHABLE_KEY",
        "SDK_CDN",
        "SDK_DIR",
        "SETTINGS",
        "SETTINGS_FILE",
        "SMTP_URL",
        "TEST_MODE",
        "TLS",
        "TRUSTED_PROXIES",
        "TURNSTILE_SECRET",
        "TURNSTILE_URL",
        "URL",
    }
)
_ON, _OFF = ("on", "true", "1", "yes"), ("off", "false", "0", "no")
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class BadSettings(Exception):
    """The settings do not make a server. `problems` are sentences, one a setting."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """A server's settings. `host` empty means loopback, by IPv4 and IPv6."""

    development: bool
    host: str
    port: int
    data: Path
    url: str
    publishable_key: str
    origins: tuple[str, ...]
    cookie_domain: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    master_key: MasterKey | None = field(default=None, repr=False)
    test_mode: bool = False
    network_limits: bool = True
    name: str = "Doorcode"
    sdk_directory: Path | None = None
    sdk_cdn: str = DEFAULT_CDN
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    tls: bool = False
    turnstile_secret: str = field(default="", repr=False)
    turnstile_url: str = DEFAULT_TURNSTILE
    instance_settings: Mapping[str, Any] = field(default_factory=dict)
    settings_file: Path = Path(DEFAULT_SETTINGS_FILE)
    settings_file_required: bool = False
    disposable_domains: frozenset[str] = field(default=frozenset(), repr=False)
    unknown: tuple[str, ...] = ()

    @property
    def issuer(self) -> str:
        """What tokens name as their maker: the host of the publishable key."""
        return f"https://{api_keys.host_of(self.publishable_key)}"

    @property
    def routes(self) -> dict[str, str]:
        """Who carries what: the provider's name by channel."""
        routes = dict.fromkeys(("sms", "whatsapp", "email"), "inbox") if self.development else {}
        return routes | ({"email": "smtp"} if self.smtp_url else {})


def development(environ: Mapping[str, str], **options: object) -> Settings:
    """The settings of `doorcode dev`: everything has a default."""
    return _Reader(environ, options, development=True).read()


def production(environ: Mapping[str, str], **options: object) -> Settings:
    """The settings of `doorcode serve`, or `BadSettings` that say what is missing."""
    return _Reader(environ, options, development=False).read()


class _Reader:
    def __init__(
        self, environ: Mapping[str, str], options: Mapping[str, object], *, development: bool
    ) -> None:
        given = {k.upper(): str(v) for k, v in options.items() if v is not None}
        self._values = {
            **{
                k.removeprefix("DOORCODE_"): v.strip()
                for k, v in environ.items()
                if k.startswith("DOORCODE_")
            },
            **given,
        }
        self._development = development
        self._problems: list[str] = []
        for name, value in [*self._values.items()]:
            if not _is_text(value):
                self._problem(name, "is not UTF-8; set it to text.")
                del self._values[name]

    def read(self) -> Settings:
        """All settings, or all problems."""
        port = self._port()
        url = self._url(port)
        settings = Settings(
            development=self._development,
            host=self._text("HOST", "" if self._development else "127.0.0.1"),
            port=port,
            data=Path(self._text("DATA", DEFAULT_DATA)),
            url=url,
            publishable_key=self._publishable_key(url),
            origins=self._origins(),
            cookie_domain=self._cookie_domain(url),
            trusted_proxies=self._proxies(),
            master_key=self._master_key(),
            test_mode=self._switch("TEST_MODE", self._development),
            network_limits=self._switch("LIMITS_NETWORK", default=True),
            name=self._text("NAME", "Doorcode"),
            sdk_directory=Path(self._values["SDK_DIR"]) if self._values.get("SDK_DIR") else None,
            sdk_cdn=self._address("SDK_CDN", DEFAULT_CDN),
            smtp_url=self._smtp_url(),
            mail_from=self._mail_from(),
            tls=self._tls(url),
            turnstile_secret=self._text("TURNSTILE_SECRET", ""),
            turnstile_url=self._address("TURNSTILE_URL", DEFAULT_TURNSTILE),
            instance_settings=self._instance_settings(),
            settings_file=self._settings_file(),
            settings_file_required=bool(self._values.get("SETTINGS_FILE")),
            disposable_domains=self._disposable_domains(),
            unknown=tuple(sorted(self._values.keys() - KNOWN)),
        )
        if self._problems:
            raise BadSettings(self._problems)
        return settings

    def _text(self, name: str, default: str) -> str:
        return self._values.get(name) or default

    def _problem(self, name: str, mend: str) -> None:
        self._problems.append(f"DOORCODE_{name} {mend}")

    def _port(self) -> int:
        text = self._text("PORT", str(DEFAULT_PORT))
        if text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65_536:
            return int(text)
        self._problem("PORT", f"is {text[:20]!r}; set it to a number from 1 to 65535.")
        return DEFAULT_PORT

    def _url(self, port: int) -> str:
        text = self._text("URL", "")
        if not text and self._development:
            return self._development_url(port)
        if not text:
            self._problem(
                "URL",
                "is not set; set it to the public address of this server, "
                "such as https://auth.example.com.",
            )
            return f"http://localhost:{port}"
        origin = origin_of(text)
        if origin is None or urlsplit(text).path.strip("/") or "?" in text or "#" in text:
            self._problem(
                "URL", f"is {text!r}; set it to scheme and host, such as https://auth.example.com."
            )
        return origin or f"http://localhost:{port}"

    def _development_url(self, port: int) -> str:
        """Where a person on this machine finds the server; elsewhere, by the host it was given."""
        host, scheme = self._text("HOST", ""), "https" if self._wants_tls() else "http"
        if host in ("", "0.0.0.0", "::", "127.0.0.1", "::1"):  # noqa: S104 - compared, not bound
            host = "localhost"
        url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
        if origin_of(url) is None or urlsplit(url).path:
            self._problem("HOST", f"is {host!r}; set it to an address or a name of this machine.")
            return f"{scheme}://localhost:{port}"
        return url

    def _wants_tls(self) -> bool:
        return self._text("TLS", "off").lower() in _ON

    def _tls(self, url: str) -> bool:
        """Whether this process itself speaks https, by a certificate of its own making."""
        on = self._switch("TLS", default=False)
        if on and not self._development:
            self._problem(
                "TLS",
                "is for development: its certificate is trusted on this machine only. "
                "Let a proxy before `doorcode serve` speak https.",
            )
        elif on and url.startswith("http://"):
            self._problem("URL", f"is {url!r}, but with TLS on this server speaks https only.")
        return on

    def _publishable_key(self, url: str) -> str:
        host = urlsplit(url).netloc
        if self._values.get("PUBLISHABLE_KEY"):
            return self._given_key(self._values["PUBLISHABLE_KEY"])
        if self._development and ("." not in host or not self._values.get("URL")):
            host = DEVELOPMENT_HOST
        elif "." not in host and not any(one.startswith("DOORCODE_URL ") for one in self._problems):
            self._problem("URL", f"names the host {host!r}; the SDKs need one with a dot in it.")
        return api_keys.publishable_key(host)

    def _given_key(self, text: str) -> str:
        try:
            api_keys.host_of(text)
        except ValueError as error:
            self._problem("PUBLISHABLE_KEY", f"cannot be read: {error}.")
            return api_keys.publishable_key(DEVELOPMENT_HOST)
        return text

    def _origins(self) -> tuple[str, ...]:
        listed = [text.strip() for text in self._text("ORIGINS", "").split(",") if text.strip()]
        if not listed and not self._development:
            self._problem(
                "ORIGINS",
                "is not set; list the origins of your apps, "
                "such as https://example.com,https://app.example.com.",
            )
        for text in listed:
            if origin_of(text) != text or "*" in text:
                self._problem(
                    "ORIGINS",
                    f"holds {text!r}; an origin is scheme, host and port in lower case "
                    "without a path, such as https://app.example.com.",
                )
        return tuple(dict.fromkeys(listed))

    def _cookie_domain(self, url: str) -> str:
        domain = self._text("COOKIE_DOMAIN", "").removeprefix(".")
        host = urlsplit(url).hostname or ""
        if domain and host != domain and not host.endswith(f".{domain}"):
            self._problem(
                "COOKIE_DOMAIN",
                f"is {domain!r}, but DOORCODE_URL is on {host!r}; browsers accept only that "
                "host or a domain above it.",
            )
        return domain

    def _proxies(self) -> tuple[Network, ...]:
        text = self._text("TRUSTED_PROXIES", "")
        if not text:
            return _LOOPBACK if self._development else ()
        return tuple(self._each("TRUSTED_PROXIES", text, ipaddress.ip_network))

    def _each(self, name: str, text: str, read: Callable[[str], Network]) -> list[Network]:
        networks = []
        for part in text.split(","):
            try:
                networks.append(read(part.strip()))
            except ValueError:
                self._problem(name, f"holds {part.strip()!r}; list networks such as 10.0.0.0/8.")
        return networks

    def _master_key(self) -> MasterKey | None:
        text = self._values.get("MASTER_KEY", "")
        if not text:
            if not self._development:
                self._problem(
                    "MASTER_KEY",
                    "is not set; make one with `doorcode keys master`, keep it safe and set it.",
                )
            return None
        try:
            return parse(text)
        except BadMasterKey as error:
            self._problem("MASTER_KEY", f"cannot be read: {error}.")
            return None

    def _switch(self, name: str, default: bool) -> bool:
        text = self._text(name, "on" if default else "off").lower()
        if text not in (*_ON, *_OFF):
            self._problem(name, f"is {text!r}; set it to on or off.")
        return text in _ON

    def _mail_from(self) -> str:
        sender = self._text("MAIL_FROM", "")
        if self._values.get("SMTP_URL") and not sender:
            self._problem(
                "MAIL_FROM",
                "is not set, but DOORCODE_SMTP_URL is; set it to the sender of e-mail, "
                "such as 'Example <no-reply@example.com>'.",
            )
        elif sender:
            self._expect("MAIL_FROM", parse_sender, sender)
        return sender

    def _smtp_url(self) -> str:
        url = self._text("SMTP_URL", "")
        if url:
            self._expect("SMTP_URL", parse_url, url)
        return url

    def _expect(self, name: str, read: Callable[[str], object], text: str) -> None:
        try:
            read(text)
        except ValueError as error:
            self._problem(name, f"cannot be used: {error}.")

    def _address(self, name: str, default: str) -> str:
        text = self._text(name, default)
        if origin_of(text) is None:
            self._problem(name, f"is {text!r}; set it to an address such as {default}.")
        return text

    def _disposable_domains(self) -> frozenset[str]:
        path = self._text("DISPOSABLE_DOMAINS", "")
        try:
            return disposable_domains.read(Path(path)) if path else disposable_domains.packaged()
        except disposable_domains.BadList as error:
            self._problem("DISPOSABLE_DOMAINS", f"cannot be used: {error}.")
            return frozenset()

    def _instance_settings(self) -> Mapping[str, Any]:
        text = self._text("SETTINGS", "")
        reading = read_json(text or "{}")
        for problem in reading.problems:
            self._problem("SETTINGS", f"cannot be used: {problem.text}")
        return reading.values

    def _settings_file(self) -> Path:
        """Where it is; it is read here only to say what is wrong with it beside the rest."""
        given = self._text("SETTINGS_FILE", "")
        path = Path(given or DEFAULT_SETTINGS_FILE)
        try:
            reading = reading_of(SettingsFile(path, bool(given)).read(), path)
        except CannotRead as error:
            self._problem("SETTINGS_FILE", f"cannot be used: {error}")
        else:
            self._problems += [problem.text for problem in reading.problems]
        return path


def _is_text(value: str) -> bool:
    """Whether it is UTF-8: of another byte Python makes a character that cannot be written."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True

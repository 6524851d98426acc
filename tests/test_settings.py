"""What an operator may set, and how wrong settings are said: all at once, each with its mend."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from doorcode.security import api_keys, master_key
from doorcode.settings import KNOWN, BadSettings, Settings, development, production

KEY = master_key.generate()
GOOD = {
    "DOORCODE_URL": "https://auth.example.com",
    "DOORCODE_ORIGINS": "https://example.com,https://app.example.com",
    "DOORCODE_MASTER_KEY": KEY,
}


def problems(**changes: str) -> list[str]:
    """What production says of the good settings with these changed."""
    with pytest.raises(BadSettings) as bad:
        production(GOOD | {f"DOORCODE_{name}": value for name, value in changes.items()})
    return bad.value.problems


def good(**changes: str) -> Settings:
    return production(GOOD | {f"DOORCODE_{name}": value for name, value in changes.items()})


# ── disposable domains ────────────────────────────────────────────────────────────────
def test_a_file_of_domains_stands_in_the_place_of_the_packages_list(tmp_path: Path) -> None:
    file = tmp_path / "domains"
    file.write_text("throw.example\n", "utf-8")
    assert "mailinator.com" in good().disposable_domains
    assert good(DISPOSABLE_DOMAINS=str(file)).disposable_domains == {"throw.example"}
    file.write_text("throw.example\nno domain\n", "utf-8")
    [said] = problems(DISPOSABLE_DOMAINS=str(file))
    assert said.startswith("DOORCODE_DISPOSABLE_DOMAINS cannot be used: ")
    assert "line 2 ('no domain')" in said
    [said] = problems(DISPOSABLE_DOMAINS=str(tmp_path / "gone"))
    assert "gone cannot be read" in said


# ── development ───────────────────────────────────────────────────────────────────────
def test_development_needs_no_setting() -> None:
    settings = development({})
    assert settings.development
    assert (settings.host, settings.port) == ("", 8787)
    assert settings.url == "http://localhost:8787"
    assert settings.data == Path("./.doorcode")
    assert settings.master_key is None
    assert settings.test_mode
    assert settings.network_limits
    assert settings.origins == ()
    assert settings.cookie_domain == ""
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.0/8", "::1/128"]


def test_development_key_names_a_host_with_a_dot() -> None:
    settings = development({})
    assert api_keys.host_of(settings.publishable_key) == "doorcode.localhost"
    assert settings.issuer == "https://doorcode.localhost"


def test_port_moves_the_address() -> None:
    settings = development({"DOORCODE_PORT": "9000", "DOORCODE_DATA": "/srv/doorcode"})
    assert (settings.port, settings.url) == (9000, "http://localhost:9000")
    assert settings.data == Path("/srv/doorcode")


def test_option_counts_before_environment() -> None:
    environ = {"DOORCODE_PORT": "9000", "DOORCODE_HOST": "::1", "DOORCODE_DATA": "/a"}
    settings = development(environ, port=9001, host="0.0.0.0", data="/b")
    assert (settings.port, settings.host, settings.data) == (9001, "0.0.0.0", Path("/b"))
    kept = development(environ, port=None, host=None, data=None)
    assert (kept.port, kept.host, kept.data) == (9000, "::1", Path("/a"))


@pytest.mark.parametrize(
    "name",
    ["URL", "PORT", "HOST", "DATA", "ORIGINS", "MASTER_KEY", "TEST_MODE", "PUBLISHABLE_KEY",
     "COOKIE_DOMAIN", "TRUSTED_PROXIES", "SDK_DIR", "SMTP_URL", "SETTINGS", "SETTINGS_FILE"],
)  # fmt: skip
def test_empty_setting_is_none(name: str) -> None:
    """Compose files and `.env` files set what is not needed to nothing."""
    for value in ("", "  "):
        assert development({f"DOORCODE_{name}": value}) == development({})


def test_other_variables_are_not_read() -> None:
    assert development({"PORT": "1", "HOST": "x", "XDOORCODE_PORT": "2"}) == development({})


# ── production ────────────────────────────────────────────────────────────────────────
def test_production_says_all_that_is_missing_at_once() -> None:
    with pytest.raises(BadSettings) as bad:
        production({})
    said = bad.value.problems
    assert [sentence.split()[0] for sentence in said] == [
        "DOORCODE_URL",
        "DOORCODE_ORIGINS",
        "DOORCODE_MASTER_KEY",
    ]
    assert all("is not set; " in sentence for sentence in said)
    assert "https://auth.example.com" in said[0]
    assert "https://example.com" in said[1]
    assert "doorcode keys master" in said[2]
    assert str(bad.value) == "\n".join(said)


def test_production_with_its_three_settings() -> None:
    settings = good()
    assert not settings.development
    assert (settings.host, settings.port) == ("127.0.0.1", 8787)
    assert settings.url == "https://auth.example.com"
    assert settings.origins == ("https://example.com", "https://app.example.com")  # in order
    assert settings.trusted_proxies == ()
    assert not settings.test_mode
    assert settings.network_limits
    assert settings.master_key is not None


def test_issuer_is_the_publishable_keys_host() -> None:
    settings = good()
    assert api_keys.host_of(settings.publishable_key) == "auth.example.com"
    assert settings.issuer == "https://auth.example.com"
    other = good(PUBLISHABLE_KEY=api_keys.publishable_key("clerk.example.com"))
    assert other.issuer == "https://clerk.example.com"


@pytest.mark.parametrize(
    "text",
    ["https://auth.example.com/", "https://Auth.example.com", "https://auth.example.com:443"],
)
def test_url_is_brought_to_one_form(text: str) -> None:
    settings = good(URL=text)
    assert settings.url == "https://auth.example.com"
    assert settings.issuer == "https://auth.example.com"


def test_url_keeps_another_port() -> None:
    assert good(URL="https://auth.example.com:8443").url == "https://auth.example.com:8443"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://localhost:8787"),
        ("::", "http://localhost:8787"),
        ("::1", "http://localhost:8787"),
        ("192.0.2.7", "http://192.0.2.7:8787"),
        ("2001:db8::7", "http://[2001:db8::7]:8787"),
        ("devbox.example", "http://devbox.example:8787"),
    ],
)
def test_development_address_is_where_it_listens(host: str, url: str) -> None:
    assert development({"DOORCODE_HOST": host}).url == url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "https://localhost:8787"),
        ("::1", "https://localhost:8787"),
        ("devbox.example", "https://devbox.example:8787"),
    ],
)
def test_with_tls_the_development_address_is_https(host: str, url: str) -> None:
    settings = development({"DOORCODE_HOST": host}, tls="on")
    assert settings.tls
    assert settings.url == url
    assert settings.publishable_key == development({"DOORCODE_HOST": host}).publishable_key


def test_tls_is_off_unless_asked_for() -> None:
    assert not development({}).tls
    assert not good(TLS="off").tls


def test_tls_and_an_http_address_contradict_each_other() -> None:
    with pytest.raises(BadSettings) as bad:
        development({"DOORCODE_URL": "http://localhost:8787"}, tls="on")
    assert [one.split()[0] for one in bad.value.problems] == ["DOORCODE_URL"]
    assert not development({"DOORCODE_URL": "https://shop.localhost"}).tls  # a proxy's


def test_tls_is_left_to_a_proxy_in_production() -> None:
    [said] = problems(TLS="on")
    assert said.startswith("DOORCODE_TLS ")
    assert "proxy" in said


def test_misspelled_setting_is_noticed() -> None:
    assert development({"DOORCODE_ORIGIN": "x", "DOORCODE_PORTS": "1"}).unknown == (
        "ORIGIN",
        "PORTS",
    )
    assert good().unknown == ()


def test_several_bad_values_are_said_together() -> None:
    said = problems(PORT="0", ORIGINS="example.com", TEST_MODE="maybe", MASTER_KEY="short")
    names = {sentence.split()[0].removeprefix("DOORCODE_") for sentence in said}
    assert names == {"PORT", "ORIGINS", "TEST_MODE", "MASTER_KEY"}


def test_dotless_host_is_said_beside_a_bad_port() -> None:
    said = problems(PORT="0", URL="https://intranet")
    assert {sentence.split()[0] for sentence in said} == {"DOORCODE_PORT", "DOORCODE_URL"}


BAD = [
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("PORT", "http"),
    ("PORT", "8787.0"),
    ("PORT", "٨٧"),
    ("URL", "auth.example.com"),
    ("URL", "ftp://auth.example.com"),
    ("URL", "https://auth.example.com/auth"),
    ("URL", "https://auth.example.com?x=1"),
    ("URL", "https://user@auth.example.com"),
    ("URL", "https://auth.example.com:99999"),
    ("URL", "https://"),
    ("URL", "https://intranet"),
    ("ORIGINS", "example.com"),
    ("ORIGINS", "*"),
    ("ORIGINS", "null"),
    ("ORIGINS", "https://*.example.com"),
    ("ORIGINS", "https://example.com/"),
    ("ORIGINS", "https://example.com/app"),
    ("ORIGINS", "https://Example.com"),
    ("ORIGINS", "https://example.com:443"),
    ("ORIGINS", "https://example.com;https://app.example.com"),
    ("ORIGINS", "https://good.example.com,bad"),
    ("ORIGINS", ",,"),
    ("COOKIE_DOMAIN", "example.org"),
    ("COOKIE_DOMAIN", "ample.com"),
    ("COOKIE_DOMAIN", "auth2.example.com"),
    ("COOKIE_DOMAIN", "https://example.com"),
    ("TRUSTED_PROXIES", "proxy.example.com"),
    ("TRUSTED_PROXIES", "10.0.0.0/33"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ("TRUSTED_PROXIES", "10.0.0.0/8,here"),
    ("MASTER_KEY", "short"),
    ("MASTER_KEY", "not base64 at all!"),
    ("MASTER_KEY", f"1:{KEY},1:{KEY}"),
    ("MASTER_KEY", f"old:{KEY}"),
    ("MASTER_KEY", f"0:{KEY}"),
    ("MASTER_KEY", f"1:{KEY},"),
    ("TEST_MODE", "maybe"),
    ("TLS", "perhaps"),
    ("LIMITS_NETWORK", "sometimes"),
    ("SDK_CDN", "cdn.example.com"),
    ("TURNSTILE_URL", "challenges.example.com/siteverify"),
    ("SMTP_URL", "localhost:25"),
    ("SETTINGS", "{"),
    ("SETTINGS", "[]"),
    ("SETTINGS", '{"auth_phone": {"requird": true}}'),
    ("SETTINGS", '{"auth_phone": {"required": "yes"}}'),
    ("SETTINGS", '{"auth_phone": {"required": true}, "auth_phone.required": true}'),
    ("SETTINGS_FILE", "/no/such/directory/doorcode.toml"),
    ("PUBLISHABLE_KEY", "sk_live_secret"),
    ("PUBLISHABLE_KEY", "pk_live_!!!!"),
    ("PUBLISHABLE_KEY", "pk_live_AAAA"),
    ("PUBLISHABLE_KEY", "pk_live_////"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_value_is_named_with_its_mend(name: str, value: str) -> None:
    said = problems(**{name: value})
    assert [sentence for sentence in said if sentence.startswith(f"DOORCODE_{name} ")]
    assert all(sentence.endswith(".") and len(sentence) > 30 for sentence in said)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "1" * 5_000),
        ("URL", "http://["),
        ("URL", "http://\udcff.example"),
        ("HOST", "["),
        ("HOST", "a/b"),
        ("HOST", "\udcff"),
        ("NAME", "\udcff"),  # how Python reads a byte of the environment that is no UTF-8
    ],
)
def test_what_cannot_even_be_read_is_said_like_any_bad_value(name: str, value: str) -> None:
    with pytest.raises(BadSettings) as bad:
        development({f"DOORCODE_{name}": value})
    [said] = bad.value.problems
    assert said.startswith(f"DOORCODE_{name} ")
    assert said.isprintable()


def test_problem_never_repeats_a_secret() -> None:
    said = " ".join(problems(MASTER_KEY=f"1:{KEY},2:{KEY[:-8]}"))
    assert "DOORCODE_MASTER_KEY" in said
    assert KEY[:20] not in said


@pytest.mark.parametrize(
    ("text", "on"),
    [("on", True), ("ON", True), ("true", True), ("1", True), ("yes", True),
     ("off", False), ("False", False), ("0", False), ("no", False)],
)  # fmt: skip
def test_switches_read_as_people_write_them(text: str, on: bool) -> None:
    assert good(TEST_MODE=text).test_mode is on
    assert good(LIMITS_NETWORK=text).network_limits is on


@pytest.mark.parametrize("domain", ["example.com", ".example.com", "auth.example.com"])
def test_cookie_domain_is_the_host_or_above(domain: str) -> None:
    assert good(COOKIE_DOMAIN=domain).cookie_domain == domain.removeprefix(".")


def test_proxies_are_networks() -> None:
    settings = good(TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.7 ,2001:db8::/32")
    assert settings.trusted_proxies == tuple(
        map(ipaddress.ip_network, ("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"))
    )


def test_rotated_master_key_has_versions() -> None:
    settings = good(MASTER_KEY=f"1:{KEY},2:{master_key.generate()}")
    assert settings.master_key is not None
    assert settings.master_key.newest == 2


def test_mail_needs_a_sender() -> None:
    [said] = problems(SMTP_URL="smtp://localhost")
    assert said.startswith("DOORCODE_MAIL_FROM ")
    sender = "Example <no-reply@example.com>"
    assert good(SMTP_URL="smtp://localhost", MAIL_FROM=sender).mail_from == sender


def test_secrets_are_not_shown() -> None:
    mail = {"SMTP_URL": "smtp://user:hush@localhost", "MAIL_FROM": "a@example.com"}
    settings = good(**mail, TURNSTILE_SECRET="whisper")
    assert settings.turnstile_secret == "whisper"
    shown = repr(settings) + str(settings) + f"{settings.master_key!r}"
    assert settings.master_key is not None
    assert KEY not in shown
    assert "hush" not in shown and "whisper" not in shown
    assert all(repr(key) not in shown for key in settings.master_key.versions.values())


# ── the instance's own settings ───────────────────────────────────────────────────────
def test_the_instances_settings_are_read_from_json() -> None:
    settings = good(SETTINGS='{"auth_phone": {"required": true}, "session.lifetime_minutes": 5}')
    assert settings.instance_settings == {
        "auth_phone.required": True,
        "session.lifetime_minutes": 300_000,
    }
    assert good().instance_settings == {}


def test_every_wrong_setting_of_the_instance_is_said() -> None:
    said = problems(SETTINGS='{"auth_phone": {"requird": true}, "mfa.required": 1}', PORT="0")
    assert len(said) == 3
    assert [one for one in said if "the nearest name is auth_phone.required" in one]
    assert [one for one in said if "mfa.required is 1; expected true or false" in one]


def test_the_settings_file_is_the_one_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert good().settings_file == Path("doorcode.toml")
    assert not good().settings_file_required
    (tmp_path / "doorcode.toml").write_text("mfa.required = 1", "utf-8")
    [said] = problems()
    assert said.startswith("doorcode.toml: mfa.required is 1")


def test_a_settings_file_that_was_named_is_required(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("mfa.required = false", "utf-8")
    settings = good(SETTINGS_FILE=str(file))
    assert (settings.settings_file, settings.settings_file_required) == (file, True)
    file.write_text("mfa.required = ", "utf-8")
    [said] = problems(SETTINGS_FILE=str(file))
    assert str(file) in said and "TOML" in said


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_docs_name_every_variable(name: str) -> None:
    page = Path(__file__).parents[1] / "docs" / "settings.md"
    assert f"\n| `DOORCODE_{name}` |" in page.read_text("utf-8")


def test_in_development_all_goes_to_the_inbox_but_for_mail_where_there_is_a_server() -> None:
    inbox = {"sms": "inbox", "whatsapp": "inbox", "email": "inbox"}
    assert development({}).routes == inbox
    mail = {"DOORCODE_SMTP_URL": "smtp://localhost", "DOORCODE_MAIL_FROM": "a@example.com"}
    assert development(mail).routes == inbox | {"email": "smtp"}


def test_in_production_only_what_is_set_up_is_carried() -> None:
    assert good().routes == {}
    mail = {"SMTP_URL": "smtp://localhost", "MAIL_FROM": "a@example.com"}
    assert good(**mail).routes == {"email": "smtp"}

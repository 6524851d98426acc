"""What an operator's environment and files hold: settings, or sentences that say what is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.instance import Instance
from doorcode.domain.instance_settings import SETTINGS, build, plain, read, read_json, read_toml
from doorcode.security import master_key
from doorcode.settings import KNOWN, BadSettings, development, production

from .spoiling import TEXTS, spoilt_text

KEY = master_key.generate()
GOOD: dict[str, list[str]] = {
    "URL": ["https://auth.example.com", "http://[::1]:8787"],
    "ORIGINS": ["https://example.com,https://app.example.com"],
    "HOST": ["::1", "0.0.0.0", "devbox.example"],
    "PORT": ["8787"],
    "COOKIE_DOMAIN": ["example.com"],
    "TRUSTED_PROXIES": ["10.0.0.0/8, fd00::/8"],
    "MASTER_KEY": [KEY, f"1:{KEY}"],
    "SMTP_URL": ["smtps://user:p%40ss@mail.example.com:465?starttls=required"],
    "MAIL_FROM": ["Acme <no-reply@example.com>"],
    "PUBLISHABLE_KEY": ["pk_live_YXV0aC5leGFtcGxlLmNvbSQ"],
    "SETTINGS": ['{"auth_phone": {"required": true}}'],
    "TLS": ["on"],
}
# Files are read by their names, whatever these are: they are left to the tests of their readers.
FILES = {"DATA", "SETTINGS_FILE", "DISPOSABLE_DOMAINS", "SDK_DIR"}
# The environment holds no zero bytes; a byte that is no UTF-8 comes as half a character.
WORDS = (TEXTS | st.text("\udc80\udcffa.[]:/", max_size=8)).map(
    lambda text: text.replace("\x00", "")
)


def values(name: str) -> st.SearchStrategy[str]:
    known = spoilt_text(st.sampled_from(GOOD.get(name, ["on"])))
    return known.map(lambda text: text.replace("\x00", "")) | WORDS


ENVIRONMENTS = st.fixed_dictionaries(
    {}, optional={f"DOORCODE_{name}": values(name) for name in sorted(KNOWN - FILES)}
)


@given(ENVIRONMENTS, st.booleans())
def test_any_environment_makes_settings_or_sentences(
    environ: Mapping[str, str], is_production: bool
) -> None:
    base = {f"DOORCODE_{name}": GOOD[name][0] for name in ("URL", "ORIGINS", "MASTER_KEY")}
    problems: list[str] = []
    try:
        settings = production(base | environ) if is_production else development(environ)
    except BadSettings as bad:
        problems = bad.problems
    if problems:
        assert all(said.startswith("DOORCODE_") for said in problems)
        assert KEY not in "".join(problems)
        "".join(problems).encode()
        return
    assert settings.issuer.startswith("https://")
    assert 0 < settings.port < 65_536
    f"{settings.name}{settings.url}{settings.mail_from}{settings.cookie_domain}".encode()


# ── the settings of an instance ───────────────────────────────────────────────────────
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.text("\ud800a@.+", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)) | TEXTS, JSON, max_size=5))
def test_what_is_read_of_a_document_can_be_written_and_read_again(document: Any) -> None:
    found = read(document)
    text = json.dumps(plain(found.values), allow_nan=False)
    text.encode()
    assert read_json(text).values == found.values
    assert build(Instance("ins_1"), found.values).id == "ins_1"


TOML = st.sampled_from(
    [
        '[auth_phone]\nrequired = true\n[shield]\ncountries = ["GB", "US"]\n',
        'auth_email.required = false\n"auth_phone.required" = true\n',
        "a = 1979-05-27T07:32:00Z\nb = inf\nc = 0x1F\nd = '''x'''\n",
    ]
)


@given(spoilt_text(TOML) | TEXTS | spoilt_text(st.just(GOOD["SETTINGS"][0])))
def test_a_spoilt_file_of_settings_is_read_or_said_to_be_wrong(text: str) -> None:
    for reading in (read_toml(text), read_json(text)):
        assert set(reading.values) <= set(SETTINGS)
        assert all(problem.text for problem in reading.problems)

"""The local certificate authority: what it vouches for, for how long, and who may read its keys."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doorcode.local_tls import LocalTls, open_local_tls
from doorcode.server import now

DAY = 24 * 3600 * 1000
FILES = ("ca.key", "ca.pem", "server.key", "server.pem")


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def contents(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in FILES}


def changed(before: dict[str, bytes], directory: Path) -> set[str]:
    return {name for name, content in contents(directory).items() if content != before[name]}


def handshake(tls: LocalTls, name: str) -> None:
    """A TLS handshake over a pair of sockets, the client trusting the authority alone."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tls.certificate, tls.key)
    client = ssl.create_default_context(cafile=tls.ca)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    here, there = socket.socketpair()
    for end in (here, there):
        end.settimeout(10)

    def answer() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as secure:
                secure.recv(1)
        except OSError:
            there.close()  # the client did not like what it saw

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as secure:
            secure.send(b"x")
    finally:
        here.close()
        thread.join(10)


# ── who is believed ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "doorcode.localhost",
        "app.doorcode.localhost",
        "clerk.shop.localhost",
        "app.shop.localhost",
        "devbox.example",
        "192.0.2.7",
    ],
)
def test_a_client_that_trusts_the_authority_believes_each_name(tmp_path: Path, name: str) -> None:
    hosts = ["clerk.shop.localhost", "devbox.example", "192.0.2.7"]
    handshake(open_local_tls(tmp_path, hosts, now()), name)


@pytest.mark.parametrize("name", ["example.com", "devbox.example", "localhost.example", "8.8.8.8"])
def test_no_other_name_is_believed(tmp_path: Path, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(open_local_tls(tmp_path, ["localhost"], now()), name)


def forged(tls: LocalTls, directory: Path, name: x509.GeneralName) -> LocalTls:
    """What a thief of the authority's key would show for another name."""
    ca = certificate(tls.ca)
    ca_key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    at = datetime.now(UTC)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        .add_extension(identifier, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    forgery = LocalTls(tls.ca, directory / "forged.pem", directory / "forged.key")
    forgery.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    forgery.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return forgery


@pytest.mark.parametrize("name", ["bank.example", "localhost.bank.example", "evillocalhost"])
def test_a_stolen_authority_cannot_pass_for_a_site(tmp_path: Path, name: str) -> None:
    tls = open_local_tls(tmp_path, ["devbox.example"], now())
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(forged(tls, tmp_path, x509.DNSName(name)), name)


def test_a_stolen_authority_cannot_pass_for_an_address(tmp_path: Path) -> None:
    tls = open_local_tls(tmp_path, [], now())
    name = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(forged(tls, tmp_path, name), "192.0.2.1")


def test_the_forgery_would_do_for_a_permitted_name(tmp_path: Path) -> None:
    """The two tests above fail for the name, not for something else in the forgery."""
    tls = open_local_tls(tmp_path, [], now())
    handshake(forged(tls, tmp_path, x509.DNSName("localhost")), "localhost")


def test_the_authority_signs_servers_only(tmp_path: Path) -> None:
    ca = certificate(open_local_tls(tmp_path, [], now()).ca)
    usage = ca.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in usage] == ["1.3.6.1.5.5.7.3.1"]
    basic = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert basic.value == x509.BasicConstraints(ca=True, path_length=0)
    assert ca.extensions.get_extension_for_class(x509.NameConstraints).critical


def test_two_authorities_have_two_names(tmp_path: Path) -> None:
    one = certificate(open_local_tls(tmp_path / "one", [], now()).ca)
    two = certificate(open_local_tls(tmp_path / "two", [], now()).ca)
    assert one.subject != two.subject


# ── for how long ──────────────────────────────────────────────────────────────────────
def test_a_server_s_certificate_lives_no_longer_than_browsers_accept(tmp_path: Path) -> None:
    shown = certificate(open_local_tls(tmp_path, [], now()).certificate)
    assert shown.not_valid_after_utc - shown.not_valid_before_utc <= timedelta(days=397)


def test_what_is_good_is_kept(tmp_path: Path) -> None:
    at = now()
    open_local_tls(tmp_path, ["devbox.example"], at)
    before = contents(tmp_path)
    open_local_tls(tmp_path, ["devbox.example"], at + 300 * DAY)
    assert changed(before, tmp_path) == set()


def test_near_its_end_the_certificate_is_renewed_and_the_authority_stays(tmp_path: Path) -> None:
    at = now()
    open_local_tls(tmp_path, [], at)
    before = contents(tmp_path)
    renewed = open_local_tls(tmp_path, [], at + 370 * DAY)
    assert changed(before, tmp_path) == {"server.key", "server.pem"}
    ends = certificate(renewed.certificate).not_valid_after_utc
    assert ends > datetime.fromtimestamp(at / 1000, UTC) + timedelta(days=700)


def test_an_authority_that_would_end_first_is_made_anew(tmp_path: Path) -> None:
    at = now()
    open_local_tls(tmp_path, [], at)
    before = contents(tmp_path)
    open_local_tls(tmp_path, [], at + 9 * 365 * DAY)
    assert changed(before, tmp_path) == set(FILES)


def test_a_clock_that_was_set_back_makes_them_anew(tmp_path: Path) -> None:
    at = now()
    open_local_tls(tmp_path, [], at)
    before = contents(tmp_path)
    open_local_tls(tmp_path, [], at - 2 * DAY)
    assert changed(before, tmp_path) == set(FILES)


# ── for which hosts ───────────────────────────────────────────────────────────────────
def test_another_local_host_needs_another_certificate_by_the_same_authority(
    tmp_path: Path,
) -> None:
    open_local_tls(tmp_path, ["localhost"], now())
    before = contents(tmp_path)
    tls = open_local_tls(tmp_path, ["clerk.shop.localhost"], now())
    assert changed(before, tmp_path) == {"server.key", "server.pem"}
    handshake(tls, "clerk.shop.localhost")


def test_a_host_out_of_bounds_needs_another_authority(tmp_path: Path) -> None:
    open_local_tls(tmp_path, ["localhost"], now())
    before = contents(tmp_path)
    tls = open_local_tls(tmp_path, ["devbox.example"], now())
    assert changed(before, tmp_path) == set(FILES)
    handshake(tls, "devbox.example")


def test_going_back_to_fewer_hosts_keeps_the_trusted_authority(tmp_path: Path) -> None:
    open_local_tls(tmp_path, ["devbox.example"], now())
    before = contents(tmp_path)
    tls = open_local_tls(tmp_path, [], now())
    assert changed(before, tmp_path) == {"server.key", "server.pem"}
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls, "devbox.example")


@pytest.mark.parametrize("host", ["", "bücher.example", "[::1]", "LOCALHOST"])
def test_an_odd_host_does_no_harm(tmp_path: Path, host: str) -> None:
    handshake(open_local_tls(tmp_path, [host], now()), "localhost")


# ── files ─────────────────────────────────────────────────────────────────────────────
def test_only_the_owner_can_read_what_is_made(tmp_path: Path) -> None:
    previous = os.umask(0)  # the most careless there is
    try:
        open_local_tls(tmp_path / "tls", [], now())
    finally:
        os.umask(previous)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "tls").iterdir()}
    assert modes == dict.fromkeys(FILES, 0o600)
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["gone", "empty", "spoilt"])
def test_a_missing_or_spoilt_file_is_mended(tmp_path: Path, name: str, how: str) -> None:
    open_local_tls(tmp_path, [], now())
    if how == "gone":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text("" if how == "empty" else "-----BEGIN NONSENSE-----")
    handshake(open_local_tls(tmp_path, [], now()), "localhost")


def test_another_authority_s_certificate_is_not_shown(tmp_path: Path) -> None:
    open_local_tls(tmp_path / "one", [], now())
    open_local_tls(tmp_path / "two", [], now())
    for name in ("server.key", "server.pem"):
        (tmp_path / "two" / name).rename(tmp_path / "one" / name)
    handshake(open_local_tls(tmp_path / "one", [], now()), "localhost")


def test_a_key_of_another_pair_is_not_used(tmp_path: Path) -> None:
    open_local_tls(tmp_path / "one", [], now())
    open_local_tls(tmp_path / "two", [], now())
    for name in ("server.key", "ca.key"):
        (tmp_path / "two" / name).rename(tmp_path / "one" / name)
    handshake(open_local_tls(tmp_path / "one", [], now()), "localhost")


def test_an_unwritable_directory_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        open_local_tls(tmp_path / "file" / "tls", [], now())

"""A certificate authority of this machine's own, so that `doorcode dev --tls` can serve https.

    ca.pem       the authority's certificate: what Node.js and browsers are told to trust
    ca.key       its private key, readable by its owner only
    server.pem   the certificate that the server shows
    server.key   its private key, readable by its owner only

Whoever trusts an authority trusts whoever steals its key. This one is therefore bound by
name constraints (RFC 5280, 4.2.1.10) to this machine's names, and to the host that the
operator configured: with a stolen key nobody can pass for any other site.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from doorcode.domain.limits import SECOND

CA_LIVES_FOR = timedelta(days=3650)
# Browsers refuse a certificate that lives longer than 398 days.
SERVER_LIVES_FOR = timedelta(days=396)
RENEWED_BEFORE = timedelta(days=30)
_SLACK = timedelta(hours=12)  # clocks of this machine's programs, and of a container's, differ

# `*.localhost` is in the certificate for those who accept it. Browsers and OpenSSL want two
# dots in a wildcard, so names that are in use are listed besides.
_OWN_NAMES = ("localhost", "*.localhost", "doorcode.localhost", "*.doorcode.localhost")
_OWN_ADDRESSES = ("127.0.0.1", "::1")
_LOOPBACK = ("127.0.0.0/8", "::1/128")

_Key = ec.EllipticCurvePrivateKey
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class LocalTls:
    """The files of a server's certificate. `ca` is what others are to trust."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: _Key


def open_local_tls(directory: Path, hosts: Iterable[str], now: int) -> LocalTls:
    """The certificate for this machine's names and for `hosts` (names or IP addresses).

    What is missing, unreadable, about to expire or made for other hosts is made anew; the
    authority only where it must be, because people have to trust it again. `now` is in
    milliseconds. `OSError` where the directory cannot be written.
    """
    at = datetime.fromtimestamp(now / SECOND, UTC)
    names = _names(hosts)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = LocalTls(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    ca_key = directory / "ca.key"
    ca = _read(files.ca, ca_key)
    if ca is None or not _may_sign(ca.certificate, names, at):
        ca = _new_ca(names, at)
        _write(ca, files.ca, ca_key)
    server = _read(files.certificate, files.key)
    if server is None or not _still_serves(server.certificate, ca.certificate, names, at):
        _write(_new_server(ca, names, at), files.certificate, files.key)
    return files


# ── names ─────────────────────────────────────────────────────────────────────────────
def _names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    """The subject's names, each once."""
    names: dict[str, None] = dict.fromkeys((*_OWN_NAMES, *_OWN_ADDRESSES))
    for host in hosts:
        host = host.strip("[]").lower()
        # A certificate names hosts in ASCII (RFC 5280, 4.2.1.6).
        if not host or not host.isascii():
            continue
        names[host] = None
        parent = host.partition(".")[2]
        # The app beside `auth.shop.localhost` may show the same certificate.
        if parent.endswith(".localhost"):
            names[f"*.{parent}"] = None
    return [_name(name) for name in names]


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _constraint(name: x509.GeneralName) -> x509.GeneralName | None:
    """What lets the authority sign for a name; None where loopback covers it."""
    if isinstance(name, x509.IPAddress):
        loopback = name.value.is_loopback
        return None if loopback else x509.IPAddress(ipaddress.ip_network(str(name.value)))
    text = str(name.value)
    return None if text == "localhost" or text.endswith(".localhost") else x509.DNSName(text)


def _constraints(names: Iterable[x509.GeneralName]) -> list[x509.GeneralName]:
    own = [
        x509.DNSName("localhost"),  # and every name that ends in .localhost
        *(x509.IPAddress(ipaddress.ip_network(network)) for network in _LOOPBACK),
    ]
    return [*own, *(one for name in names if (one := _constraint(name)))]


# ── whether what lies there will do ───────────────────────────────────────────────────
def _may_sign(ca: x509.Certificate, names: list[x509.GeneralName], at: datetime) -> bool:
    """Whether the authority outlives a new certificate and may vouch for all the names."""
    if not ca.not_valid_before_utc <= at <= ca.not_valid_after_utc - SERVER_LIVES_FOR:
        return False
    try:
        bounds = ca.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return False
    return set(bounds.permitted_subtrees or ()) >= set(_constraints(names))


def _still_serves(
    server: x509.Certificate, ca: x509.Certificate, names: list[x509.GeneralName], at: datetime
) -> bool:
    try:
        server.verify_directly_issued_by(ca)
        listed = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 - whatever is wrong with it, a new one mends it
        return False
    begun, ends = server.not_valid_before_utc, server.not_valid_after_utc
    return begun <= at < ends - RENEWED_BEFORE and set(listed) == set(names)


# ── making them ───────────────────────────────────────────────────────────────────────
def _new_ca(names: list[x509.GeneralName], at: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # Two authorities of one name would be taken for each other where both are trusted.
    mark = hashlib.sha256(_public(key)).hexdigest()[:8]
    subject = _subject(f"Doorcode local CA {mark}")
    builder = (
        _builder(subject, subject, key, at, at + CA_LIVES_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(_constraints(names), None), critical=True)
    )
    return _Pair(builder.sign(key, hashes.SHA256()), key)


def _new_server(ca: _Pair, names: list[x509.GeneralName], at: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = (
        _builder(_subject("localhost"), ca.certificate.subject, key, at, at + SERVER_LIVES_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(issuer, critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return _Pair(builder.sign(ca.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: _Key, at: datetime, until: datetime
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _SLACK)
        .not_valid_after(until)
        .add_extension(identifier, critical=False)
        # Servers only: a stolen key signs no programs and no mail.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _public(key: _Key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


# ── files ─────────────────────────────────────────────────────────────────────────────
def _read(certificate: Path, key: Path) -> _Pair | None:
    """A certificate and its key; None where they are missing, spoilt or not a pair."""
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(private, _Key) or loaded.public_key() != private.public_key():
        return None
    return _Pair(loaded, private)


def _write(pair: _Pair, certificate: Path, key: Path) -> None:
    private = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _replace(key, private)
    _replace(certificate, pair.certificate.public_bytes(serialization.Encoding.PEM))


def _replace(file: Path, content: bytes) -> None:
    """Write a file whole or not at all; nobody but its owner can read it at any moment."""
    handle, fresh = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        os.replace(fresh, file)
    except BaseException:
        os.unlink(fresh)
        raise

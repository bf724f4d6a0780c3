"""One message to receivers that are odd: their certificates, bodies without an end, answers that are none."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tierengine.webhooks import outbox, sending
from tierengine.webhooks.outbox import Due

NOW = 1_800_000_000_000_000
SECRET = "whsec_" + "A" * 43 + "="


def certificate(folder, name):
    """Return a server's context for `name`, and the client's that trusts whoever signed it (itself)."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(today - timedelta(1))
        .not_valid_after(today + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, SHA256())
    )  # fmt: skip
    pem = made.public_bytes(serialization.Encoding.PEM)
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(pem + own)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


async def sent(url, http, resolve=None):
    due = Due(1, 1, "entry-1", b"{}", 0)
    where = sending.look_up(url, inside=True, resolve=resolve)
    return await sending.send(http, sending.Sending(due, url, [SECRET]), NOW, where)


def told(answer, *, context=None, url="http://127.0.0.1:{port}/hook", http=None, resolve=None):
    """Send a message to a server that answers `answer(reader, writer)`; return what is noted, and the request."""
    heard = []

    async def serve(reader, writer):
        with contextlib.suppress(Exception):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            await answer(writer)
        writer.close()

    async def go():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server, http or sending.client() as client:
            port = server.sockets[0].getsockname()[1]
            return await sent(url.format(port=port), client, resolve)

    return asyncio.run(go()), heard


def saying(text):
    async def answer(writer):
        writer.write(text)
        await writer.drain()

    return answer


# ---- by which way -----------------------------------------------------------------------------------------------


def test_no_proxy_of_the_environment_is_asked(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody is there
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    noted, heard = told(saying(b"HTTP/1.1 204 T\r\n\r\n"))
    assert (noted, len(heard)) == (("", 0), 1)


def test_each_message_has_a_connection_of_its_own():
    """It was made to one name, and behind the same address there may be another webhook with another one."""
    made = []

    async def serve(reader, writer):
        made.append(writer)
        with contextlib.suppress(Exception):
            while True:
                await reader.readuntil(b"{}")
                writer.write(b"HTTP/1.1 204 T\r\n\r\n")
                await writer.drain()
        writer.close()

    async def go():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        async with server:
            async with sending.client() as client:
                noted = [await sent(url, client) for _ in range(2)]
            for one in made:
                await one.wait_closed()
        return noted

    assert (asyncio.run(go()), len(made)) == ([("", 0)] * 2, 2)


# ---- who the other is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["hook.example", "hook.example.", "HOOK.example"])
def test_a_receiver_shows_the_certificate_of_the_name_that_was_typed(tmp_path, host):
    server, trusts = certificate(tmp_path, "hook.example")
    http = httpx.AsyncClient(verify=trusts, trust_env=False)
    found, heard = told(
        saying(b"HTTP/1.1 204 No Content\r\n\r\n"), context=server, url=f"https://{host}:{{port}}/hook", http=http,
        resolve=lambda *_: ["127.0.0.1"],
    )  # fmt: skip
    assert found == ("", 0)
    assert f"host: {host}:".encode() in heard[0]


def test_who_shows_another_certificate_or_one_of_his_own_making_is_told_nothing(tmp_path):
    server, trusts = certificate(tmp_path, "other.example")
    for http in (httpx.AsyncClient(verify=trusts, trust_env=False), sending.client()):
        found, heard = told(
            saying(b"HTTP/1.1 204 No Content\r\n\r\n"), context=server, url="https://hook.example:{port}/hook",
            http=http, resolve=lambda *_: ["127.0.0.1"],
        )  # fmt: skip
        assert found == ("ConnectError", 0)
        assert heard == []


# ---- what the other says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nx", ""),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope", ""),
        (b"HTTP/1.1 307 T\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "307"),
        (b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", "410"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000 + b"\r\n\r\n", "RemoteProtocolError"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "RemoteProtocolError"),
        (b"", "RemoteProtocolError"),
    ],
)
def test_its_status_is_all_that_counts_and_what_is_no_answer_is_a_failure(text, noted):
    found, heard = told(saying(text))
    assert found == (noted, 0)
    assert len(heard) == 1, "said once"


def test_a_body_without_an_end_is_not_waited_for_and_its_line_is_dropped(monkeypatch):
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 5.0)
    wrote = []

    async def flood(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while len(wrote) < 10_000:
            writer.write(b"ffff\r\n" + b"a" * 0xFFFF + b"\r\n")
            await writer.drain()
            wrote.append(1)

    found, _ = told(flood)
    assert found == ("", 0)
    assert len(wrote) < 1_000


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ("7", 7), ("-1", 0), ("1.5", 0), ("\u0661", 0), ("99999999", 86_400), ("9" * 5_000, 86_400),
        ("Fri, 15 Jan 2027 08:02:00 GMT", 120), ("Friday, 15-Jan-27 08:02:00 GMT", 120),
        ("Fri Jan 15 08:02:00 2027", 120),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0), ("Wed, 21 Oct 2099 07:28:00 GMT", 86_400),
        ("Fri, 99 Jan 2027 08:02:00 GMT", 0), ("soon", 0), (", , ,", 0), ("Fri, 15 Jan 99999999999 08:02:00 GMT", 0),
    ],
)  # fmt: skip
def test_how_long_it_asks_to_be_left_alone_is_read_in_both_forms_and_has_a_bound(asked, waits):
    found, _ = told(saying(f"HTTP/1.1 503 U\r\nretry-after: {asked}\r\ncontent-length: 0\r\n\r\n".encode()))
    assert found == ("503", waits)


def test_a_date_is_meant_by_the_clock_of_who_says_it():
    text = (
        "HTTP/1.1 503 U\r\nDate: Fri, 15 Jan 2027 09:00:00 GMT\r\nRetry-After: Fri, 15 Jan 2027 09:01:30 GMT\r\n"
        "content-length: 0\r\n\r\n"
    )
    assert told(saying(text.encode()))[0] == ("503", 90)


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_it_asks_is_a_time_within_the_bound(asked, date):
    assert 0 <= sending._patience(asked, date, NOW) <= sending.PATIENCE_MOST


class Noted:
    """What is written of a delivery."""

    def run(self, _sql: str, *values: object) -> None:
        self.values = values


@pytest.mark.parametrize(
    ("attempts", "wait", "least", "most"),
    [
        (0, 0, 4.5, 5.5),
        (0, 3_600, 3_600, 3_600),
        (4, 60, 16_200, 19_800),  # asked for less than it would wait anyhow
        (0, 86_400, 86_400, 86_400),
        (0, 10**9, 86_400, 86_400),  # asked for thirty years: it waits a day
        (8, 0, 77_760, 95_040),
    ],
)
def test_what_is_not_taken_waits_as_long_as_it_is_asked_to_within_a_day(attempts, wait, least, most):
    noted = Noted()
    outbox.failed(noted, Due(7, 1, "m", b"{}", attempts), NOW, "x" * 300, wait)
    number, state, tried, due_at, why, changed_at = noted.values
    assert (number, state, tried, why, changed_at) == (7, "waiting", attempts + 1, "x" * 100, NOW)
    assert least <= (due_at - NOW) / 1_000_000 <= most


def test_after_nine_times_it_is_dead_whatever_the_receiver_asks():
    noted = Noted()
    outbox.failed(noted, Due(7, 1, "m", b"{}", 9), NOW, "gone", 60)
    assert noted.values == (7, "dead", 10, NOW, "gone", NOW)

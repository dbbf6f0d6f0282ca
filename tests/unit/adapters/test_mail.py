"""Letters to a mail server as others run it: encrypted, its certificate checked, with a password (I7, R3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pbx.adapters.mail import SmtpMail
from pbx.config import Config
from pbx.services.letters import File, Letter
from tests.support.smtp_server import PASSWORD, USER, SmtpServer

LETTER = Letter("mio@x.example", "伝言", "こんにちは\n", "vm_1", File("voicemail.opus", "audio/ogg", b"OggS"))
Make = Callable[..., Awaitable[SmtpServer]]

pytestmark = pytest.mark.covers("I7", "A7")


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[SmtpServer] = []

    async def server(host: str = "127.0.0.1", *, implicit: bool = False, plain: bool = False) -> SmtpServer:
        made.append(SmtpServer(tmp_path, host=host, implicit=implicit, plain=plain))
        await made[-1].start()
        return made[-1]

    yield server
    for each in made:
        await each.stop()


def mail(server: SmtpServer, home: Path, security: str = "starttls", password: str = PASSWORD) -> SmtpMail:
    values = {"mail_host": "127.0.0.1", "mail_port": server.port, "mail_from": "pbx@x.example", "mail_user": USER}
    return SmtpMail(Config.load({}, home=home, mail_security=security, mail_password=password, **values))


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_letter_goes_encrypted_and_with_the_password_to_a_server_whose_certificate_is_right(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    server = await make(implicit=security == "tls")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
    assert await mail(server, tmp_path, security).send(LETTER) is None
    [letter] = server.letters
    assert letter["Subject"] == "伝言" and letter["Message-ID"] == "<vm_1@x.example>"
    [attached] = letter.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("voicemail.opus", b"OggS")


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_to_a_server_whose_certificate_nobody_vouches_for_nothing_is_said(
    make: Make, tmp_path: Path, security: str
) -> None:
    server = await make(implicit=security == "tls")
    assert "CERTIFICATE_VERIFY_FAILED" in (await mail(server, tmp_path, security).send(LETTER) or "")
    assert server.letters == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_for_another_name_is_not_taken_either(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    server = await make(host="mail.elsewhere.example", implicit=security == "tls")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
    assert "CERTIFICATE_VERIFY_FAILED" in (await mail(server, tmp_path, security).send(LETTER) or "")


async def test_a_wrong_password_and_a_server_without_encryption_are_said(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await make()
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
    assert "SMTPAuthenticationError" in (await mail(server, tmp_path, password="wrong").send(LETTER) or "")
    plain = await make(plain=True)
    assert "STARTTLS" in (await mail(plain, tmp_path).send(LETTER) or ""), "the password is not said in the clear"
    assert server.letters == plain.letters == []

"""Letters by SMTP, through the mail server that the operator names in the configuration."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate

from pbx.config import Config
from pbx.services.letters import Letter

IN_ALL_S = 30.0


class SmtpMail:
    def __init__(self, config: Config) -> None:
        self._config = config

    @property
    def ready(self) -> bool:
        return bool(self._config.mail_host and self._config.mail_from)

    async def send(self, one: Letter) -> str | None:
        """None: the server has taken it; else why not."""
        try:
            await asyncio.to_thread(self._send, self._message(one))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"[:500]
        return None

    def _message(self, one: Letter) -> EmailMessage:
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = self._config.mail_from, one.to, one.subject
        made["Date"] = formatdate()
        made["Message-ID"] = f"<{one.key}@{self._config.mail_from.rpartition('@')[2].strip('<> ')}>"
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(one.text)
        if one.file is not None:
            main, _, sub = one.file.kind.partition("/")
            made.add_attachment(one.file.content, maintype=main, subtype=sub, filename=one.file.name)
        return made

    def _send(self, message: EmailMessage) -> None:
        config = self._config
        with self._connected() as server:
            if config.mail_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if config.mail_user:
                server.login(config.mail_user, config.mail_password)
            server.send_message(message)

    def _connected(self) -> smtplib.SMTP:
        """Whoever the certificate does not name is told nothing: smtplib by itself would not look at it."""
        host, port = self._config.mail_host, self._config.mail_port
        if self._config.mail_security != "tls":
            return smtplib.SMTP(host, port, timeout=IN_ALL_S)
        return smtplib.SMTP_SSL(host, port, timeout=IN_ALL_S, context=ssl.create_default_context())

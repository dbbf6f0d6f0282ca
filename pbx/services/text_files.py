"""Contents of pictures and files that go with texts: on the disk before the database names them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path

from crm import ids
from crm.errors import Refused
from crm.services import text_attachments
from crm.services.text_attachments import NewAttachment
from crm.texts import Attachment
from crm.unit_of_work import Actor, Store

LARGEST = 5_000_000
_KIND = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")


class TextFiles:
    def __init__(self, store: Store, directory: Path) -> None:
        self._store = store
        self.directory = directory

    async def upload(self, actor: Actor, user_id: str, content: bytes, content_type: str, name: str) -> Attachment:
        """A file that its user is going to send."""
        new = await self.keep(content, content_type, name, user_id)
        async with self._store.write(actor) as work:
            return await text_attachments.add(work, new)

    async def keep(self, content: bytes, content_type: str, name: str, user_id: str | None = None) -> NewAttachment:
        """The content on the disk, and what a row says of it."""
        if len(content) > LARGEST:
            raise Refused(
                "too_large", "This file is too large for a text: 5 MB at most. Send a smaller one.", "file", 413
            )
        kind = content_type.partition(";")[0].strip().lower()
        kind = kind if _KIND.fullmatch(kind) else "application/octet-stream"
        path = ids.ulid()
        await asyncio.to_thread(self._write, path, content)
        return NewAttachment(kind, name or "file", len(content), hashlib.sha256(content).hexdigest(), path, user_id)

    def path(self, attachment: Attachment) -> Path:
        return self.directory / attachment.path

    def _write(self, name: str, content: bytes) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = self.directory / f"{name}.part"
        half.write_bytes(content)
        half.rename(self.directory / name)

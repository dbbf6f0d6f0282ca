"""Pictures and files of texts: rows here, contents in a directory of their own."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm import ids
from crm.errors import not_found, printable
from crm.models.texts import Attachment as Row
from crm.models.texts import Text
from crm.repositories.calls import to_record
from crm.texts import Attachment
from crm.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """``path`` is where the content stands by now, relative to the directory of all of them."""

    content_type: str
    name: str
    bytes: int
    sha256: str
    path: str
    user_id: str | None = None


async def add(work: UnitOfWork, new: NewAttachment) -> Attachment:
    """A file that no text has yet."""
    row = Row(
        id=ids.new(ids.ATTACHMENT, work.at_us),
        text_id=None,
        user_id=new.user_id,
        content_type=new.content_type,
        name=printable(new.name, 100),
        bytes=new.bytes,
        sha256=new.sha256,
        path=new.path,
        created_us=work.at_us,
    )
    work.session.add(row)
    await work.flush()
    return to_record(Attachment, row)


async def show(session: AsyncSession, attachment_id: str) -> Attachment:
    row = await session.get(Row, attachment_id) if attachment_id.isprintable() else None
    if row is None:
        raise not_found("attachment", attachment_id)
    return to_record(Attachment, row)


async def owner(session: AsyncSession, attachment: Attachment) -> str | None:
    """Whose it is: of its conversation's user, else of who uploaded it."""
    row = await session.get(Text, attachment.text_id) if attachment.text_id else None
    return row.user_id if row is not None else attachment.user_id


async def uploaded(session: AsyncSession, user_id: str, since_us: int) -> int:
    """Bytes that this user has uploaded since then; the ids, which sort by time, keep it from reading older ones."""
    query = select(func.coalesce(func.sum(Row.bytes), 0)).where(Row.id >= ids.first(ids.ATTACHMENT, since_us))
    return int(await session.scalar(query.where(Row.user_id == user_id)) or 0)

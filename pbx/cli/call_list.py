"""`pbx list`: call lists, what stands in them, and how they go (L1, L5)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from pbx.cli import output
from pbx.cli.app import App, json_option
from pbx.cli.fields import Field
from pbx.cli.nouns import Noun, group

_FIELDS = (
    Field("description", "What it is for."),
    Field("owner", "Whose it is (id of a user).", name="owner_id"),
    Field("shared", "Others may work on it, too.", "flag"),
    Field("group", "A group (name or id) it is shared with; without any, everybody.", "list", "group_ids"),
    Field("active", "Nothing is dialled of a list that is switched off.", "flag"),
    Field("preview-s", "Seconds from the preview to the call; 0: by hand.", "number"),
    Field("wrap-up-s", "Seconds from the call's end to the next entry; 0: by hand.", "number"),
    Field("wrap-up", "Whether a summary is required.", choices=("setting", "required", "free")),
    Field("daily-calls", "Calls of the list in a day.", "number"),
    Field("daily-calls-user", "Calls of each user in a day.", "number"),
    Field("daily-calls-number", "Calls to one number within 24 hours.", "number"),
)

list_command = group(
    Noun(
        "list",
        "Call lists: who is called, by whom, by which rules. A list is named by its name or id.",
        "call_lists",
        "LIST",
        ("name", "owner_id", "shared", "active", "counts", "id"),
        add=(Field("name", "What you call it.", required=True), *_FIELDS),
        change=(Field("name", "What you call it."), *_FIELDS),
    )
)
_COLUMNS = ("position", "name", "number", "state", "reason", "due_us", "calls", "result", "held_by", "id")


@list_command.command("entries")
@click.argument("ref", metavar="LIST")
@click.option("--state", type=click.Choice(("waiting", "done", "out")))
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the page before ended.")
@json_option
@click.pass_obj
def entries_command(app: App, ref: str, state: str | None, limit: int, cursor: str | None) -> None:
    """Show what stands in LIST, in its order."""
    from crm import directory, ids
    from crm.records import as_dict
    from crm.services import list_entries
    from pbx.services.calling_hours import LawfulHours

    async def read(session: Any) -> Any:
        known, now = await directory.load(session), ids.now_us()
        hours = LawfulHours(lambda: known)
        return await list_entries.page(
            session, ref, now, state=state, cursor=cursor, limit=limit, hours=lambda place: hours.look(place, now)
        )

    page = app.read(read)
    output.page(app, [as_dict(entry) for entry in page.items], _COLUMNS, page.next_cursor)


@list_command.command("fill")
@click.argument("ref", metavar="LIST")
@click.option("--kind", type=click.Choice(("lead", "contact", "company")), default="lead", show_default=True)
@click.option("--status", help="Only records in this state.")
@click.option("--owner", "owner_id", help="Only records of this user (id).")
@click.option("--record", "record_ids", multiple=True, help="This record (id) instead of all that the filter finds.")
@json_option
@click.pass_obj
def fill_command(
    app: App, ref: str, kind: str, status: str | None, owner_id: str | None, record_ids: tuple[str, ...]
) -> None:
    """Put people into LIST: those named, or all that a filter finds. Each is there once."""
    from crm.records import as_dict

    wanted = {"kind": kind, "status": status, "owner_id": owner_id}
    brought = asyncio.run(_fill(app, ref, wanted, record_ids))
    output.show(app, as_dict(brought))


async def _fill(app: App, ref: str, wanted: dict[str, Any], record_ids: tuple[str, ...]) -> Any:
    from crm.services import call_lists, list_entries
    from crm.unit_of_work import CLI

    async with app.store() as store:
        async with store.write(CLI) as work:
            if record_ids:
                await list_entries.select(work, ref, record_ids)
            else:
                await list_entries.fill_by(work, ref, wanted)
            list_id = (await call_lists.show(work.session, ref)).id
        more = not record_ids
        while more:
            async with store.write(CLI) as work:
                more = await list_entries.fill_some(work, list_id)
        async with store.read() as session:
            return (await call_lists.show(session, list_id)).counts


@list_command.command("progress")
@click.argument("ref", metavar="LIST")
@json_option
@click.pass_obj
def progress_command(app: App, ref: str) -> None:
    """Show how LIST goes: results, calls per hour and pace of the last 24 hours."""
    from crm import ids
    from crm.records import as_dict
    from crm.services import list_progress

    found = as_dict(app.read(lambda session: list_progress.progress(session, ref, ids.now_us())))
    if app.as_json:
        return output.dump(found)
    reps = found.pop("reps")
    output.show(app, found)
    output.table(app, reps, ("user_id", "calls", "answered", "talk_ms", "calls_per_hour", "phase", "paused"))


@list_command.command("export")
@click.argument("ref", metavar="LIST")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def export_command(app: App, ref: str, file: Path) -> None:
    """Write LIST to FILE as CSV, with what came of each entry."""
    asyncio.run(_export(app, ref, file))
    click.echo(f"Written to {file}.")


async def _export(app: App, ref: str, file: Path) -> None:
    from crm import ids
    from crm.services import list_entries

    async with app.store() as store, store.read() as session:
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            async for text in list_entries.export(session, ref, ids.now_us()):
                out.write(text)

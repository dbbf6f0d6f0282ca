"""Tasks with their moment and their reminder (S5)."""

from __future__ import annotations

from typing import Any

from crm.records import as_dict
from crm.services import tasks
from crm.wrapup import Task
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.principal import forbidden
from pbx.web.wire.base import Paged
from pbx.web.wire.wrapup import NewTask, TaskChange, TaskQuery, TaskView

table = Table("tasks")


@table.route("GET", "/tasks", right=Right.REP, scope="people:read", answer=Paged[TaskView], errors=(422,))  # type: ignore[valid-type]
async def list_tasks(ctx: Ctx, query: TaskQuery) -> Any:
    """Tasks: reps see their own, managers everybody's."""
    user_id = query.user
    if not ctx.who.sees_all:
        if user_id not in (None, ctx.who.id):
            raise forbidden("You may list your own tasks. Leave “user” out.")
        user_id = ctx.who.id
    async with ctx.engine.store.read() as session:
        return await tasks.page(
            session,
            state=query.state,
            user_id=user_id,
            record_id=query.record_id,
            due_before_us=query.due_before_us,
            cursor=query.cursor,
            limit=query.limit,
        )


@table.route(
    "POST", "/tasks", right=Right.REP, scope="people:write", answer=TaskView, status=201, errors=(403, 404, 422)
)
async def add_task(ctx: Ctx, body: NewTask) -> Any:
    """Make a task, for yourself or, as a manager, for anybody."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        task = await tasks.add(work, body.given())
    _told(ctx, task)
    return task


@table.route("PATCH", "/tasks/{task}", right=Right.REP, scope="people:write", answer=TaskView, errors=(403, 404, 422))
async def change_task(ctx: Ctx, body: TaskChange) -> Any:
    """Change a task, or say that it is done; only the fields that are sent."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        before = await tasks.show(work.session, ctx.path("task"))
        task = await tasks.change(work, before.id, body.given())
    if before.user_id != task.user_id:
        ctx.engine.hub.task_changed(before.user_id, task.id, None)
    _told(ctx, task)
    return task


@table.route("DELETE", "/tasks/{task}", right=Right.REP, scope="people:write", status=204, errors=(403, 404))
async def remove_task(ctx: Ctx) -> None:
    """Remove a task."""
    async with ctx.engine.store.write(ctx.who.author) as work:
        gone = await tasks.remove(work, ctx.path("task"))
    ctx.engine.hub.task_changed(gone.user_id, gone.id, None)


def _told(ctx: Ctx, task: Task) -> None:
    ctx.engine.hub.task_changed(task.user_id, task.id, as_dict(task))
    ctx.engine.reminders.changed()

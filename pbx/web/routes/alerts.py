"""What somebody must look at now."""

from __future__ import annotations

from typing import Any

from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Listed
from pbx.web.wire.events import AlertView

table = Table("alerts")


@table.route("GET", "/alerts", right=Right.MANAGER, scope="calls:read", answer=Listed[AlertView])
async def list_alerts(ctx: Ctx) -> Any:
    """The alerts that stand, oldest first. The event stream tells when one is raised and when it is over."""
    return {"items": [alert.view() for alert in ctx.engine.alerts.standing]}

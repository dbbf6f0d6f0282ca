"""Figures by e-mail: managers choose them for themselves (R3)."""

from __future__ import annotations

import pytest

from tests.integration.web.world import World


@pytest.mark.covers("R3")
async def test_a_manager_chooses_figures_by_e_mail_and_a_rep_does_not(world: World) -> None:
    status, shown = await world.ask("GET", "/me/digest", world.alex)
    assert (status, shown) == (200, {"every": "none", "address": "alex@demo.example", "ready": False})
    status, changed = await world.ask("PUT", "/me/digest", world.alex, {"every": "week"})
    assert (status, changed["every"]) == (200, "week")
    assert (await world.ask("GET", "/me/digest", world.alex))[1] == changed
    status, problem = await world.ask("PUT", "/me/digest", world.alex, {"every": "hour"})
    assert (status, problem["field"]) == (422, "every")
    assert (await world.ask("PUT", "/me/digest", world.mio, {"every": "day"}))[0] == 403

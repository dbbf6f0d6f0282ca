"""`pbx digest`: who gets the figures by e-mail."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Run


@pytest.mark.covers("A1", "R3")
def test_figures_by_e_mail_are_for_managers(run: Run) -> None:
    for name, role in (("ann", "manager"), ("bob", "rep")):
        run("user", "add", "--email", f"{name}@x.example", "--name", name, "--role", role)
    assert run("digest", "set", "ann@x.example", "--every", "day", "--json").json["every"] == "day"
    assert run("digest", "show", "ann@x.example", "--json").json["every"] == "day"
    assert run("digest", "set", "ann@x.example", "--every", "none", "--json").json["every"] == "none"
    refused = run("digest", "set", "bob@x.example", "--every", "week")
    assert refused.code == 1 and "managers and admins" in refused.err

"""`pbx webhook`: what the API does, on the command line (A1, A5)."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Run

pytestmark = pytest.mark.covers("A1", "A5")
URL = "https://example.com/hook"


def test_a_webhook_is_added_shown_changed_tried_and_removed(run: Run) -> None:
    made = run("webhook", "add", "--url", URL, "--event", "call.ended", "--event", "text.received", "--json").json
    assert made["secret"].startswith("whsec_") and made["events"] == ["call.ended", "text.received"]
    assert [row["id"] for row in run("webhook", "list", "--json").json] == [made["id"]]
    rotated = run("webhook", "rotate", made["id"], "--json").json
    assert rotated["secret"] != made["secret"] and rotated["old_secret_until_us"]
    assert "secret" not in run("webhook", "show", made["id"], "--json").json
    assert run("webhook", "test", made["id"]).code == 0
    paused = run("webhook", "change", made["id"], "--no-enabled", "--event", "call.created", "--json").json
    assert (paused["state"], paused["events"]) == ("paused", ["call.created"])
    assert run("webhook", "deliveries", "--state", "failed", "--json").json == {"items": [], "next_cursor": None}
    assert run("webhook", "redeliver", "whd_none").code == 1
    assert "call.answered" in [row["type"] for row in run("webhook", "events", "--json").json]
    assert run("webhook", "remove", made["id"]).code == 0


@pytest.mark.covers("TRUST22")
@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0177.0.0.1", "localhost", "[::1]", "169.254.169.254"])
def test_a_webhook_may_not_lead_inside(run: Run, host: str) -> None:
    done = run("webhook", "add", "--url", f"http://{host}/", "--event", "call.ended")
    assert done.code == 1 and "outgoing_nets" in done.err

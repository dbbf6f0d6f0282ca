"""What `pbx doctor` says of the network, from the address by which others reach this machine."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path

import pytest

from crm.migrations import migrate
from crm.services import settings, trunks
from crm.unit_of_work import SYSTEM, Store
from pbx.config import Config
from pbx.supervisor import doctor, screen

CONSOLE = Path(__file__).parents[3] / "console"


@pytest.mark.covers("A3")
@pytest.mark.parametrize(
    ("address", "state", "part"),
    [
        ("127.0.0.1", "warn", "on no network"),
        ("192.168.1.7", "warn", "need external_address and local_nets"),
        ("8.8.8.8", "ok", "public address 8.8.8.8"),
    ],
)
def test_the_network_layer_says_who_can_reach_the_machine(
    address: str, state: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "lan_address", lambda: address)
    found = doctor._nat(Config(home=tmp_path, cache=tmp_path))
    assert found.state == state and part in found.sentence


def test_an_address_that_is_set_is_believed(tmp_path: Path) -> None:
    found = doctor._nat(Config(home=tmp_path, cache=tmp_path, external_address="8.8.8.8"))
    assert found.state == "ok" and "8.8.8.8" in found.sentence


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({}, "It takes calls"),
        ({"draining": True}, "“pbx drain off” ends that"),
        ({"recording_withheld": True}, "make room on the disk"),
    ],
)
def test_an_engine_that_takes_no_calls_or_records_none_is_told_of(
    state: dict[str, bool], told: str, tmp_path: Path
) -> None:
    found = doctor._engine(Config(home=tmp_path, cache=tmp_path), {"asterisk": True, **state})
    assert told in found.sentence and (found.state == "ok") is not bool(state)


def test_what_is_not_well_is_told_apart_from_what_to_do() -> None:
    bad = doctor.Finding("trunk", "warn", "No trunk is switched on: see “pbx trunk add --help”.")
    assert (bad.message, bad.remedy) == ("No trunk is switched on.", "See “pbx trunk add --help”.")
    good = doctor.Finding("database", "ok", "It answers; 3 users.")
    assert (good.message, good.remedy) == ("It answers; 3 users.", "")


@pytest.mark.covers("P5", "A7")
@pytest.mark.parametrize(
    ("host", "hours", "warned"),
    [
        ("sip.carrier.example", "off", True),
        ("sip.carrier.example", "listed", False),
        (doctor.PRACTICE_HOST, "off", False),
    ],
)
def test_a_demo_that_calls_real_people_at_any_hour_is_told_of(
    host: str, hours: str, warned: bool, tmp_path: Path
) -> None:
    config = Config.load({}, home=tmp_path, cache=tmp_path)

    async def prepared() -> None:
        await migrate(config.database_url)
        store = Store(config.database_url)
        async with store.write(SYSTEM) as work:
            await trunks.add(
                work, {"name": "carrier", "mode": "address", "host": host, "match_addresses": ["192.0.2.1"]}
            )
            await settings.change(work, "gate.calling_hours", hours)
        await store.close()

    asyncio.run(prepared())
    assert ("calling hours" in [found.layer for found in doctor._database(config)]) is warned


@pytest.mark.covers("A3", "A7")
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_console_has_a_name_for_every_layer(language: str) -> None:
    """Else it shows the word of the program."""
    calls = [node for node in ast.walk(ast.parse(Path(doctor.__file__).read_text())) if isinstance(node, ast.Call)]
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Finding"]
    layers = {ast.literal_eval(call.args[0]) for call in made}
    words = (CONSOLE / f"src/messages/{language}/admin.ts").read_text()
    named = re.search(r"layers: \{(.*?)\}", words, re.DOTALL)
    assert named is not None and len(layers) > 10
    assert layers - set(re.findall(r"^ +'?([\w ]+?)'?: ", named[1], re.MULTILINE)) == set()

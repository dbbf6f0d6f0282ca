"""What phones, trunks and numbers become in Asterisk's files, and what never gets there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pbx.adapters.asterisk.layout import TEMPLATES
from pbx.adapters.asterisk.provision import AsteriskProvisioner, render, render_device, render_fallback, render_trunk
from pbx.services.ports_provision import (
    Device,
    EmergencyNumber,
    FallbackCaller,
    FallbackCountry,
    FallbackGate,
    FallbackNumber,
    Peer,
    ProvisionError,
    Provisioning,
    Route,
    Transport,
    Trunk,
    WayOut,
)
from tests.support.no_browsers import no_browsers

HA1 = "0123456789abcdef0123456789abcdef"
PHONE = Device("d7kq2m9xw4", ha1=HA1, did="+14155550101", caller_name="Mio Tanaka", language="ja")
TRUNK = Trunk("tr_01abc", "address", "carrier.example", match_addresses=("192.0.2.1", "198.51.100.0/24"))


@pytest.mark.covers("V6")
def test_a_phone_shows_its_users_number_whatever_it_says() -> None:
    assert 'callerid = "Mio Tanaka" <+14155550101>' in render_device(PHONE)
    assert "trust_id_inbound" not in render_device(PHONE)


def test_a_phones_secret_is_kept_as_a_digest_only() -> None:
    assert f"password_digest = MD5:{HA1}" in render_device(PHONE)


@pytest.mark.parametrize(("transport", "template"), [("udp", "device"), ("tcp", "device"), ("tls", "device-tls")])
def test_the_transport_of_a_phone_chooses_its_template(transport: Transport, template: str) -> None:
    assert f"[d7kq2m9xw4]({template})\n" in render_device(replace(PHONE, transport=transport))


def test_phones_of_browsers_are_in_no_file() -> None:
    wanted = Provisioning([PHONE], browsers=[replace(PHONE, id="b7kq2m9xw4")])
    assert "b7kq2m9xw4" not in "".join(render(wanted).values())


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize("name", ['a" <911>', "x\n[evil](device)", "a;b", "${SHELL(id)}", "a\\", "\x00\u202e"])
def test_a_hostile_name_stays_a_name(name: str) -> None:
    lines = render_device(replace(PHONE, caller_name=name)).splitlines()
    [caller] = [line for line in lines if line.startswith("callerid")]
    assert caller.endswith('" <+14155550101>') and caller.count('"') == 2
    assert not set(caller.removesuffix("<+14155550101>")) & set("<>;\\${}[]")
    assert len(lines) == len(render_device(PHONE).splitlines())


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize(
    "change",
    [
        {"id": "a]\n["},
        {"id": "100"},
        {"did": "+1;x"},
        {"ha1": "x"},
        {"language": "e\nn"},
        {"codecs": ("ulaw\n",)},
        {"mailbox": "a b"},
    ],
)
def test_a_value_that_is_no_such_thing_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ProvisionError, match="correct it"):
        render_device(replace(PHONE, **change))  # type: ignore[arg-type]


def test_a_trunk_by_address_is_known_by_its_addresses_and_not_by_name() -> None:
    text = render_trunk(TRUNK)
    assert "match = 192.0.2.1\nmatch = 198.51.100.0/24" in text
    assert "type = registration" not in text


def test_a_trunk_without_addresses_is_known_by_its_host() -> None:
    assert "match = carrier.example" in render_trunk(replace(TRUNK, match_addresses=()))


@pytest.mark.parametrize("here", ["127.0.0.1", "localhost", "[::1]"])
@pytest.mark.covers("V9")
def test_a_trunk_on_this_machine_does_not_take_the_phones_of_browsers_for_its_own(here: str) -> None:
    """Their SIP comes from loopback as well, through the engine: so such a trunk is known by its port, too."""
    assert f"match = {here}:5160\n" in render_trunk(replace(TRUNK, host=here, port=5160, match_addresses=()))
    assert f"match = {here}:5160\n" in render_trunk(replace(TRUNK, port=5160, match_addresses=(here,)))
    assert "match = 127.0.0.1:5170\n" in render_trunk(replace(TRUNK, match_addresses=("127.0.0.1:5170",)))


def test_a_registering_trunk_answers_with_its_secret_escaped() -> None:
    text = render_trunk(replace(TRUNK, mode="registration", username="user", secret="a;b\\c", transport="tcp"))
    assert r"password = a\;b\c" in text
    assert r"server_uri = sip:carrier.example:5060\;transport=tcp" in text
    assert "client_uri = sip:user@carrier.example:5060" in text


def test_a_registering_trunk_needs_a_user_name() -> None:
    with pytest.raises(ProvisionError, match="needs a user name"):
        render_trunk(replace(TRUNK, mode="registration"))


@pytest.mark.parametrize("secret", ["a\nb", " a", "a\x00b"])
def test_a_secret_that_would_be_a_line_of_its_own_is_refused(secret: str) -> None:
    with pytest.raises(ProvisionError, match="printable"):
        render_trunk(replace(TRUNK, username="user", secret=secret))


@pytest.mark.covers("P2")
def test_the_fallback_of_a_number_names_phones_and_forwarding_number_in_every_notation() -> None:
    number = FallbackNumber(
        "+14155550101", ("14155550101", "4155550101"), ("d1aaa", "d2bbb"), 25, (Route("tr_01abc", "12065550130"),), "ja"
    )
    text = render_fallback([number], [EmergencyNumber("119", (Route("tr_01abc", "119"), Route("tr_02abc", "119")))])
    assert "exten => +14155550101,1,Set(OWNER=+14155550101)\n same => n,Set(PHONES=d1aaa-d2bbb)" in text
    assert "Set(FORWARD_1=PJSIP/12065550130@tr_01abc)" in text
    assert "exten => 4155550101,1,Goto(+14155550101,1)" in text
    assert "exten => 119,1,Set(TRUNK_1=PJSIP/119@tr_01abc)\n same => n,Set(TRUNK_2=PJSIP/119@tr_02abc)" in text


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize("number", ["911&Local/600", "1,20,U(x)", "${X}", "", "1\n2"])
def test_nothing_but_digits_gets_into_the_dialplan(number: str) -> None:
    with pytest.raises(ProvisionError):
        render_fallback([], [EmergencyNumber(number, ())])
    with pytest.raises(ProvisionError):
        render_fallback([FallbackNumber("+14155550101", forward=(Route("tr_01abc", number),))], [])


GATE = FallbackGate(
    (FallbackCaller("d1aaa", "+14155550101", "1", "011", "1", record=True),),
    (FallbackCountry("1", "1", ("[2-9][0-9]{9}",), "900[2-9][0-9]{6}"), FallbackCountry("81", "0", ("[1-9][0-9]{8}",))),
    (WayOut("tr_01abc"), WayOut("tr_02abc", "national", "9")),
    ("+1212",),
    ("+12065550199",),
)


@pytest.mark.covers("P2", "P5")
def test_the_small_gate_names_who_may_call_where_and_by_which_trunks() -> None:
    text = render_fallback([], [], GATE, "/var/spool/switchhook")
    assert text.startswith("[globals]\nFALLBACK_SPOOL=/var/spool/switchhook\n")
    assert "exten => d1aaa,1,Set(FROM=+14155550101)\n same => n,Set(COUNTRY_CODE=1)" in text
    assert " same => n,Set(RECORD=1)\n same => n,Set(ANNOUNCE=0)\n same => n,Return()" in text
    assert "[fallback-refused]\nexten => +12065550199,1,NoOp()" in text
    assert "[fallback-denied]\nexten => _+1212!,1,NoOp()" in text
    assert ' same => n,Set(MATCHED=${REGEX("^(900[2-9][0-9]{6})$" ${NSN})})' in text
    assert ' same => n(c1),Set(NSN=${NUMBER:3})\n same => n,GotoIf($["${NUMBER:1:2}" != "81"]?c2)' in text
    assert "exten => s,1,Set(WAY_1=PJSIP/${NUMBER}@tr_01abc)" in text
    assert "Set(WAY_2=PJSIP/9${NATIONAL_FORM}@tr_02abc)" in text
    assert "FALLBACK_SPOOL=\n" in render_fallback([], [], GATE, "/home/a)b,c/spool")


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize(
    "gate",
    [
        replace(GATE, callers=(replace(GATE.callers[0], did="+1415&Local/600"),)),
        replace(GATE, callers=(replace(GATE.callers[0], national="${X}"),)),
        replace(GATE, countries=(FallbackCountry("1", "1", ('.*" ${NSN})}',)),)),
        replace(GATE, ways=(WayOut("tr_01abc", "e164", "9&Local/"),)),
        replace(GATE, denied_prefixes=("+1X.",)),
        replace(GATE, refused=("+1206,1,System(x)",)),
    ],
)
def test_nothing_but_its_own_gets_into_the_small_gate(gate: FallbackGate) -> None:
    with pytest.raises(ProvisionError):
        render_fallback([], [], gate)


class Reloads:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False

    async def __call__(self, module: str) -> None:
        if self.broken:
            raise ConnectionError
        self.asked.append(module)


def provisioner_of(etc: Path, reloads: Reloads) -> AsteriskProvisioner:
    shutil.copy(TEMPLATES / "pjsip.conf", etc)
    return AsteriskProvisioner(etc, reloads, no_browsers(etc))


@pytest.mark.covers("A2")
async def test_only_what_changed_is_written_and_reloaded(tmp_path: Path) -> None:
    reloads = Reloads()
    provisioner = provisioner_of(tmp_path, reloads)
    assert await provisioner.apply(Provisioning([PHONE], [TRUNK]))
    assert sorted(reloads.asked) == ["pbx_config.so", "res_pjsip.so"]
    assert not await provisioner.apply(Provisioning([PHONE], [TRUNK]))
    assert len(reloads.asked) == 2
    assert await provisioner.apply(Provisioning([PHONE], [TRUNK], [FallbackNumber("+14155550101")]))
    assert reloads.asked[2:] == ["pbx_config.so"]


async def test_a_reload_that_failed_is_asked_for_again(tmp_path: Path) -> None:
    reloads = Reloads()
    provisioner = provisioner_of(tmp_path, reloads)
    reloads.broken = True
    with pytest.raises(ConnectionError):
        await provisioner.apply(Provisioning([PHONE]))
    reloads.broken = False
    await provisioner.apply(Provisioning([PHONE]))
    assert "res_pjsip.so" in reloads.asked


async def test_files_with_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    await provisioner_of(tmp_path, Reloads()).apply(Provisioning([PHONE]))
    assert modes(tmp_path) == {0o600}


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.name != "pjsip.conf"}


def test_everything_is_rendered_even_when_there_is_nothing() -> None:
    assert set(render(Provisioning())) == {"pjsip_users.conf", "pjsip_trunks.conf", "fallback_generated.conf"}


def test_another_asterisk_of_ours_is_known_by_its_address_and_port_alone() -> None:
    text = render(Provisioning(peers=[Peer("node-b", "10.0.0.12", 5060)]))["pjsip_trunks.conf"]
    assert "[node-b](node)" in text and "match = 10.0.0.12:5060\n" in text and "contact = sip:10.0.0.12:5060\n" in text
    text = render(Provisioning(peers=[Peer("node-b", "fd00::12", 5060)]))["pjsip_trunks.conf"]
    assert "match = [fd00::12]:5060\n" in text


def test_where_another_asterisk_registers_this_one_does_not() -> None:
    trunk = Trunk("tr_a", "registration", "carrier.example", username="us", secret="a-secret-of-twenty-characters")
    assert "type = registration" in render(Provisioning(trunks=[trunk]))["pjsip_trunks.conf"]
    text = render(Provisioning(trunks=[trunk], registers=False))["pjsip_trunks.conf"]
    assert "type = registration" not in text and "[tr_a](trunk)" in text

"""The Asterisk we build: boots by itself, shuts every dangerous door, and answers calls while no engine is there."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.ami_once import ami_once
from pbx.adapters.asterisk.embedded import recipe
from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.adapters.asterisk.practice import PracticeCarrier
from pbx.adapters.asterisk.provision import AsteriskProvisioner
from pbx.adapters.asterisk.selftest import self_test
from pbx.config import Config
from pbx.services.ports_provision import Device, EmergencyNumber, FallbackNumber, Provisioning, Route, Trunk
from tests.support.free_ports import free_port
from tests.support.no_browsers import no_browsers
from tests.support.sip_phone import SipPhone
from tests.support.waiting import until

DID = "+14155550101"
MOBILE, MAILBOX = "+12065550130", "+12065550131"
SECRET = "a-secret-of-twenty-characters"
TRUNK = "tr_practice"
CALLER = "+12065550142"


@dataclass
class Site:
    """The engine's Asterisk and the practice carrier, without an engine."""

    config: Config
    asterisk: EngineAsterisk
    carrier: PracticeCarrier
    provisioner: AsteriskProvisioner

    async def provision(self, *devices: str, forward: str = "", ring_s: int = 20, transport: str = "udp") -> None:
        routes = (Route(TRUNK, forward),) if forward else ()
        port = self.config.practice_sip_port
        await self.provisioner.apply(
            Provisioning(
                devices=[device(name, transport) for name in devices],
                trunks=[Trunk(TRUNK, "address", "127.0.0.1", port, match_addresses=(f"127.0.0.1:{port}",))],
                fallback=[FallbackNumber(DID, ("14155550101",), devices, ring_s, routes)],
                emergency=[EmergencyNumber("911", (Route(TRUNK, "911"),))],
            )
        )

    @property
    def server(self) -> tuple[str, int]:
        return ("127.0.0.1", self.config.sip_port)

    def fallback_log(self) -> list[str]:
        path = self.asterisk.layout.log / "fallback.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["logmsg"]["message"].strip() for line in lines if line.startswith("{")]

    async def quiet(self) -> None:
        async def idle() -> bool:
            return "0 active channels" in await self.asterisk.cli("core show channels count")

        for _ in range(100):
            if await idle():
                return
        raise AssertionError(await self.asterisk.cli("core show channels concise"))


def device(name: str, transport: str) -> Device:
    ha1 = hashlib.md5(f"{name}:switchhook:{SECRET}".encode()).hexdigest()
    return Device(name, transport=transport, ha1=ha1, did=DID, caller_name="Mio Tanaka")


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    config = Config.load({**os.environ}, home=tmp_path_factory.mktemp("site"), **ports())
    prefix = embedded.ensure(config.cache, config.debian_mirror, lambda _fraction, _sentence: None)
    asterisk, carrier = EngineAsterisk(config, prefix), PracticeCarrier(config, prefix)
    await asterisk.start()
    await carrier.start()
    async with aiohttp.ClientSession(headers=ari_login(config)) as http:

        async def reload(module: str) -> None:
            async with http.put(f"{ari(config)}/asterisk/modules/{module}") as answer:
                assert answer.status == 204, await answer.text()

        etc = asterisk.layout.etc
        provisioner = AsteriskProvisioner(etc, reload, no_browsers(etc))
        yield Site(config, asterisk, carrier, provisioner)
    await carrier.stop()
    await asterisk.stop()


def ports() -> dict[str, int]:
    names = ("sip_port", "sip_tls_port", "ari_port", "ami_port", "practice_sip_port", "practice_ami_port")
    start = free_port(width=400)
    rtp = {
        "rtp_start": start,
        "rtp_end": start + 199,
        "practice_rtp_start": start + 200,
        "practice_rtp_end": start + 399,
    }
    return {**{name: free_port() for name in names}, **rtp}


def ari(config: Config) -> str:
    return f"http://{config.ari_host}:{config.ari_port}/ari"


def ari_login(config: Config) -> dict[str, str]:
    credentials = base64.b64encode(f"switchhook:{config.secrets().ari}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


@pytest.fixture
async def phone(site: Site) -> AsyncIterator[SipPhone]:
    await site.provision("d7kq2m9xw4")
    started = await SipPhone.start("d7kq2m9xw4", site.server, SECRET, tone=540)
    yield started
    await started.stop()
    await site.quiet()


async def test_boots_without_one_warning_and_in_two_seconds(site: Site) -> None:
    log = (site.asterisk.layout.log / "messages.log").read_text()
    assert [line for line in log.splitlines() if "ERROR" in line or "WARNING" in line] == []


@pytest.mark.covers("TRUST19")
async def test_nothing_that_runs_a_shell_or_reads_files_is_built_or_loaded(site: Site) -> None:
    modules = {path.stem for path in (site.asterisk.prefix / "lib/asterisk/modules").glob("*.so")}
    assert modules == set(recipe.modules())
    for name in recipe.FORBIDDEN:
        assert "0 modules loaded" in await site.asterisk.cli(f"module show like {name}.so")
    for name in ("CURL", "SHELL", "ENV", "FILE", "STAT"):
        answer = await site.asterisk.cli(f"core show function {name}")
        assert "No function by that name" in answer


async def test_our_modules_stay_as_long_as_calls_may_point_into_them(site: Site) -> None:
    for module in recipe.own_sources():
        answer = await site.asterisk.cli(f"module unload {module.stem}.so")
        assert "Unable to unload" in answer
        assert "1 modules loaded" in await site.asterisk.cli(f"module show like {module.stem}.so")


@pytest.mark.covers("TRUST19")
@pytest.mark.parametrize(
    "action",
    [
        {"Action": "Originate", "Channel": "Local/s@from-trunk", "Application": "Echo"},
        {"Action": "Command", "Command": "core show version"},
        {"Action": "GetConfig", "Filename": "manager.conf"},
        {"Action": "UpdateConfig", "SrcFilename": "manager.conf", "DstFilename": "manager.conf"},
    ],
)
async def test_the_engines_ami_account_may_not_dial_command_or_read_files(site: Site, action: dict[str, str]) -> None:
    with pytest.raises(embedded.BuildError, match="Permission denied"):
        await ami_once(site.config.ami_port, "switchhook", site.config.secrets().ami, action)


async def test_the_engines_ami_account_may_list_registered_phones(site: Site, phone: SipPhone) -> None:
    secret = site.config.secrets().ami
    answer = await ami_once(site.config.ami_port, "switchhook", secret, {"Action": "PJSIPShowContacts"})
    assert answer["Response"] == "Success"


@pytest.mark.covers("TRUST19")
async def test_a_command_given_to_mixmonitor_is_not_run(site: Site, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    await site.provision()
    async with aiohttp.ClientSession(headers=ari_login(site.config)) as http:
        channel = {"endpoint": f"PJSIP/+12065550160@{TRUNK}", "extension": "s", "context": "fallback-say"}
        async with http.post(f"{ari(site.config)}/channels", params={**channel, "channelId": "leg_x"}) as answer:
            assert answer.status == 200, await answer.text()
        action = {
            "Action": "MixMonitor",
            "Channel": "leg_x",
            "File": str(tmp_path / "x.wav"),
            "Command": f"touch {proof}",
        }
        await ami_once(site.config.ami_port, "switchhook", site.config.secrets().ami, action)
        async with http.delete(f"{ari(site.config)}/channels/leg_x") as answer:
            assert answer.status == 204
    log = site.asterisk.layout.log / "messages.log"
    await until(lambda: "was refused" in log.read_text(), within=3, what="the refusal in the log")
    assert not proof.exists()


async def test_strangers_get_no_further_than_a_challenge(site: Site, phone: SipPhone) -> None:
    for user in ("anonymous", "d000000000", "100", "+14155550101"):
        stranger = await SipPhone.start(user, site.server, None)
        call = await stranger.call("+12065550150")
        await call.until_ended(within=3)
        assert call.final_status == 401
        await stranger.stop()


@pytest.mark.covers("P2", "TRUST2")
async def test_while_the_engine_is_away_a_call_rings_the_users_phone_and_both_are_heard(
    site: Site, phone: SipPhone
) -> None:
    calling = asyncio.create_task(site.carrier.call(CALLER, DID, "tone", 5, hz=880))
    ring = await phone.incoming(within=3)
    assert ring.caller_number == CALLER
    await ring.answer()
    assert (await calling).answered
    await ring.until_hears(880)
    await ring.hang_up()
    await site.quiet()
    begun = [line for line in site.fallback_log() if line.startswith("begin|") and CALLER in line]
    assert begun and begun[-1].split("|")[3:] == ["in", TRUNK, DID, CALLER]
    unique = begun[-1].split("|")[1]
    assert any(line.startswith(f"answer|{unique}|") and "d7kq2m9xw4" in line for line in site.fallback_log())
    await until(
        lambda: any(line.startswith(f"end|{unique}|") for line in site.fallback_log()),
        within=3,
        what="the end of the call in the log",
    )


@pytest.mark.covers("P2")
async def test_while_the_engine_is_away_every_phone_rings_and_the_first_to_answer_wins(site: Site) -> None:
    await site.provision("d7kq2m9xw4", "d8kq2m9xw4")
    one = await SipPhone.start("d7kq2m9xw4", site.server, SECRET)
    two = await SipPhone.start("d8kq2m9xw4", site.server, SECRET)
    again = await SipPhone.start("d8kq2m9xw4", site.server, SECRET)
    calling = asyncio.create_task(site.carrier.call(CALLER, DID))
    rings = [await phone.incoming() for phone in (one, two, again)]
    await rings[1].answer()
    assert (await calling).answered
    for ring in (rings[0], rings[2]):
        await ring.until_ended(within=1)
    await rings[1].hang_up()
    for phone in (one, two, again):
        await phone.stop()
    await site.quiet()


@pytest.mark.covers("P2", "I3", "V6")
async def test_while_the_engine_is_away_only_a_person_takes_a_forwarded_call(site: Site) -> None:
    await site.provision("d7kq2m9xw4", forward=MAILBOX)
    before = site.fallback_log()
    refused = await site.carrier.call(CALLER, DID, ring_s=40, duration_s=3)
    # The mailbox answers but presses nothing: the caller then hears our own words, not the mailbox's.
    assert refused.answered
    assert not any(line.startswith("answer|") for line in site.fallback_log()[len(before) :])
    await site.carrier.hang_up(refused.channel)
    await site.provision("d7kq2m9xw4", forward=MOBILE)
    taken = await site.carrier.call(CALLER, DID, ring_s=20, duration_s=2)
    assert taken.answered
    assert site.fallback_log()[-1].startswith("answer|") and TRUNK in site.fallback_log()[-1]
    await site.carrier.hang_up(taken.channel)
    await site.quiet()


@pytest.mark.covers("V15")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_phones_of_every_transport_are_rung_and_heard(site: Site, transport: str) -> None:
    await site.provision("d9kq2m9xw4", transport=transport)
    port = site.config.sip_tls_port if transport == "tls" else site.config.sip_port
    server = ("127.0.0.1", port)
    phone = await SipPhone.start("d9kq2m9xw4", server, SECRET, tone=540, transport=transport, srtp=transport == "tls")
    calling = asyncio.create_task(site.carrier.call(CALLER, DID, "echo", 10))
    ring = await phone.incoming()
    await ring.answer()
    assert (await calling).answered
    await ring.until_hears(540)
    await ring.hang_up()
    await phone.stop()
    await site.quiet()


async def test_a_phone_kept_for_srtp_may_not_call_without(site: Site) -> None:
    await site.provision("d9kq2m9xw4", transport="tls")
    server = ("127.0.0.1", site.config.sip_tls_port)
    phone = await SipPhone.start("d9kq2m9xw4", server, SECRET, transport="tls")
    call = await phone.call("911")
    await call.until_ended()
    assert call.final_status == 488
    await phone.stop()


@pytest.mark.covers("TRUST24")
async def test_while_the_engine_is_away_emergency_numbers_leave_and_others_do_not(site: Site, phone: SipPhone) -> None:
    call = await phone.call("911")
    await call.until_answered()
    await call.until_hears(1200)
    await call.hang_up()
    await site.quiet()
    dialled = await site.carrier.cli("core show calls")
    call = await phone.call("+12065550160")
    await call.until_answered()
    await call.listen(0.5)
    await call.hang_up()
    assert await site.carrier.cli("core show calls") == dialled


@pytest.mark.covers("I9")
async def test_while_the_engine_is_away_a_number_that_nobody_has_is_refused(site: Site, phone: SipPhone) -> None:
    call = await site.carrier.call(CALLER, "+14155550109", ring_s=5)
    assert not call.answered
    assert any(line.startswith("begin|") and "+14155550109" in line for line in site.fallback_log())


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize(
    "contact",
    [
        "sip:a&Local/s@fallback-say",
        "sip:a,20,U(fallback-accept)@127.0.0.1:9",
        "sip:a&PJSIP/+12065550160@tr_practice",
        "sip:a%26Local/s@127.0.0.1:9",
    ],
)
async def test_a_contact_that_would_dial_a_second_leg_rings_nobody(
    site: Site, phone: SipPhone, contact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await phone.register(expires=0)
    monkeypatch.setattr(phone, "contact_headers", lambda: [("Contact", f"<{contact}>")])
    await phone.try_register()
    calls = await site.carrier.cli("core show calls")
    call = await site.carrier.call(CALLER, DID, ring_s=1)
    await site.carrier.hang_up(call.channel)
    await site.quiet()
    made = int((await site.carrier.cli("core show calls")).split()[-3]) - int(calls.split()[-3])
    assert made == 1


async def test_a_killed_asterisk_starts_again_in_a_second(site: Site) -> None:
    pid = site.asterisk.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await site.asterisk.wait()
    await site.asterisk.start()
    assert "fully booted" in (await site.asterisk.cli("core waitfullybooted")).lower()


async def test_the_asterisk_we_ship_loses_no_sound_when_an_rtp_source_restarts_behind(site: Site) -> None:
    verdict = await self_test(site.asterisk.prefix)
    assert verdict.sound, verdict.sentence

"""A trunk that registers: our Asterisk is the customer of a second one of ours, to which it is a phone."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pbx.adapters.asterisk import embedded
from pbx.adapters.asterisk.fallback_log import FallbackLog
from pbx.adapters.asterisk.instance import EngineAsterisk
from pbx.adapters.asterisk.provision import render
from pbx.config import Config
from pbx.services.ports_provision import Device, EmergencyNumber, Provisioning, Route, Trunk
from tests.support.free_ports import free_port
from tests.support.sip_phone import SipPhone

SECRET = "a-secret;--of\\;twenty\\characters"
ACCOUNT, PHONE, TRUNK = "dcustomer1", "dcaller001", "tr_carrier"


@dataclass
class Pair:
    carrier: EngineAsterisk
    customer: EngineAsterisk
    carrier_config: Config


def device(name: str, did: str) -> Device:
    return Device(name, ha1=hashlib.md5(f"{name}:switchhook:{SECRET}".encode()).hexdigest(), did=did)


def instance(home: Path, wanted: Provisioning, config: Config) -> EngineAsterisk:
    prefix = embedded.ensure(config.cache, config.debian_mirror, lambda _fraction, _sentence: None)
    asterisk = EngineAsterisk(config, prefix)
    asterisk.render()
    for name, text in render(wanted).items():
        (asterisk.layout.etc / name).write_text(text)
    return asterisk


def configure(home: Path) -> Config:
    rtp_start = free_port(width=100)
    ports = {name: free_port() for name in ("sip_port", "sip_tls_port", "ari_port", "ami_port")}
    return Config.load({**os.environ}, home=home, rtp_start=rtp_start, rtp_end=rtp_start + 99, **ports)


@pytest.fixture(scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    there, here = tmp_path_factory.mktemp("carrier"), tmp_path_factory.mktemp("customer")
    carrier_config, customer_config = configure(there), configure(here)
    phones = [device(ACCOUNT, "+12065550100"), device(PHONE, "+12065550142")]
    # Of what a phone dials without an engine only emergency numbers leave, so this one leads to the customer.
    emergency = [EmergencyNumber("911", (Route(ACCOUNT, "911"),))]
    carrier = instance(there, Provisioning(phones, (), (), emergency), carrier_config)
    trunk = Trunk(TRUNK, "registration", "127.0.0.1", carrier_config.sip_port, "udp", ACCOUNT, SECRET)
    customer = instance(here, Provisioning((), [trunk]), customer_config)
    await carrier.start()
    await customer.start()
    yield Pair(carrier, customer, carrier_config)
    await customer.stop()
    await carrier.stop()


async def registered(pair: Pair) -> None:
    async with asyncio.timeout(10):
        while "Registered" not in await pair.customer.cli("pjsip show registrations"):
            continue


async def test_a_trunk_registers_with_a_secret_full_of_marks(pair: Pair) -> None:
    await registered(pair)
    assert f"{ACCOUNT}/sip:" in await pair.carrier.cli("pjsip show contacts")


async def test_a_call_that_comes_by_the_registration_is_the_trunks(pair: Pair) -> None:
    await registered(pair)
    phone = await SipPhone.start(PHONE, ("127.0.0.1", pair.carrier_config.sip_port), SECRET)
    log = FallbackLog(pair.customer.layout.log)
    log.fresh()  # what a try before left
    call = await phone.call("911")
    await call.until_answered(within=10)  # the carrier's own words, as the customer refuses a number it does not have
    await call.hang_up()
    [arrived] = log.fresh()
    assert (arrived.direction, arrived.endpoint, arrived.called) == ("in", TRUNK, "911")
    assert arrived.caller == "+12065550142"
    await phone.stop()

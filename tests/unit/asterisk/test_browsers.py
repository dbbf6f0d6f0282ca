"""What Asterisk is told of phones of browsers, when, and what is taken away from it again."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pbx.adapters.asterisk import browsers
from pbx.adapters.asterisk.ari import AriError
from pbx.adapters.asterisk.browsers import BrowserEndpoints
from pbx.adapters.asterisk.config_text import options_of
from pbx.adapters.asterisk.layout import TEMPLATES
from pbx.services.ports_provision import Device, ProvisionError
from tests.support.waiting import until

HA1 = "0123456789abcdef0123456789abcdef"
MIO = Device("bmio2m9xw4", ha1=HA1, did="+14155550101", caller_name="Mio Tanaka", language="ja")
ENDPOINT = "asterisk/config/dynamic/res_pjsip/endpoint/bmio2m9xw4"
SAM = replace(MIO, id="bsam2m9xw4", did="+14155550102", caller_name="Sam")


class PaperAri:
    """Keeps what it is told, as Asterisk's memory does."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, list[str]]] = {}
        self.channels: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.broken = ""

    async def __call__(self, method: str, address: str, body: dict[str, Any] | None) -> Any:
        self.asked.append((method, address))
        if self.broken and self.broken in address:
            raise AriError(0, "The link to Asterisk was lost.")
        name = address.removeprefix("asterisk/config/dynamic/res_pjsip/")
        if method == "PUT":
            assert body is not None
            if name in self.objects and any(each["attribute"] == "acl" for each in body["fields"]):
                raise AriError(400, "failed field value validation")  # as 22.10.1 does
            options = self.objects.setdefault(name, {})
            options |= {each["attribute"]: [] for each in body["fields"]}
            for each in body["fields"]:
                options[each["attribute"]].append(each["value"])
        elif address.startswith("channels/"):
            asyncio.get_running_loop().call_later(0.02, self._ended, address.removeprefix("channels/"))
        elif method == "DELETE":
            if self.objects.pop(name, None) is None:
                raise AriError(404, "not there")
        elif address == "endpoints/PJSIP":
            there = [each.partition("/")[2] for each in self.objects if each.startswith("endpoint/")]
            if not there:
                raise AriError(404, "No Endpoints found - invalid tech PJSIP")  # as 22.10.1 does
            return [{"resource": name} for name in there]
        else:
            return {"channel_ids": self.channels.get(address.rsplit("/", 1)[-1], [])}
        return None

    def _ended(self, channel: str) -> None:
        self.channels = {name: [each for each in of if each != channel] for name, of in self.channels.items()}

    def asked_to(self, method: str) -> list[str]:
        asked = [address for how, address in self.asked if how == method]
        return [address.removeprefix("asterisk/config/dynamic/res_pjsip/") for address in asked]


@pytest.fixture
def ari() -> PaperAri:
    return PaperAri()


@pytest.fixture
def endpoints(ari: PaperAri, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BrowserEndpoints:
    monkeypatch.setattr(browsers, "_LINGERS_S", 0.01)
    shutil.copy(TEMPLATES / "pjsip.conf", tmp_path)
    return BrowserEndpoints(tmp_path, ari)


@pytest.mark.covers("V6")
async def test_a_phone_is_what_the_templates_say_with_names_and_number_of_its_own(
    endpoints: BrowserEndpoints, ari: PaperAri
) -> None:
    await endpoints.apply([MIO])
    endpoint = ari.objects["endpoint/bmio2m9xw4"]
    assert endpoint["webrtc"] == ["yes"] and endpoint["context"] == ["from-endpoint"]
    assert endpoint["callerid"] == ['"Mio Tanaka" <+14155550101>'] and endpoint["trust_id_inbound"] == ["no"]
    assert (endpoint["auth"], endpoint["aors"], endpoint["tone_zone"]) == (["bmio2m9xw4"], ["bmio2m9xw4"], ["jp"])
    auth = ari.objects["auth/bmio2m9xw4"]
    assert (auth["username"], auth["password_digest"]) == (["bmio2m9xw4"], [f"MD5:{HA1}"])
    assert auth["realm"] == ["switchhook"]
    assert ari.objects["aor/bmio2m9xw4"]["max_contacts"][-1] == "1"
    assert not any("type" in options for options in ari.objects.values())


@pytest.mark.covers("TRUST15")
async def test_a_phone_of_a_browser_is_of_no_use_from_anywhere_but_this_machine(
    endpoints: BrowserEndpoints, ari: PaperAri
) -> None:
    await endpoints.apply([MIO])
    assert ari.objects["endpoint/bmio2m9xw4"]["acl"] == ["this-machine"]
    listed = options_of((TEMPLATES / "acl.conf").read_text(), "this-machine")
    assert listed[:2] == [("deny", "0.0.0.0/0.0.0.0"), ("deny", "::/0")]
    assert listed[2:] == [("permit", "127.0.0.1/255.255.255.255"), ("permit", "::1/128")]


async def test_only_what_changed_is_told(endpoints: BrowserEndpoints, ari: PaperAri) -> None:
    await endpoints.apply([MIO, SAM])
    ari.asked.clear()
    await endpoints.apply([MIO, SAM])
    assert ari.asked == []
    await endpoints.apply([replace(MIO, ha1=HA1[::-1]), replace(SAM, did="+14155550109")])
    assert ari.asked_to("PUT") == ["auth/bmio2m9xw4", "endpoint/bsam2m9xw4"]


async def test_a_phone_that_is_gone_is_hung_up_and_taken_away(endpoints: BrowserEndpoints, ari: PaperAri) -> None:
    await endpoints.apply([MIO, SAM])
    ari.channels["bmio2m9xw4"] = ["leg_1", "PJSIP-2"]
    ari.asked.clear()
    await endpoints.apply([SAM])
    assert ari.asked_to("DELETE") == ["channels/leg_1", "channels/PJSIP-2", "endpoint/bmio2m9xw4", "auth/bmio2m9xw4"]
    taken, heard = ari.asked.index(("DELETE", ENDPOINT)), ("GET", "endpoints/PJSIP/bmio2m9xw4")
    assert ari.asked[2:taken].count(heard) >= 2, "its calls have ended before, so that their BYE has gone"
    await until(lambda: "aor/bmio2m9xw4" not in ari.objects, 2, "the address of record to be taken away")
    assert set(ari.objects) == {"auth/bsam2m9xw4", "aor/bsam2m9xw4", "endpoint/bsam2m9xw4"}


@pytest.mark.covers("TRUST1", "TRUST3")
async def test_after_each_connection_everything_is_told_anew_and_what_an_earlier_engine_left_is_taken_away(
    endpoints: BrowserEndpoints, ari: PaperAri, tmp_path: Path
) -> None:
    await endpoints.apply([MIO, SAM])
    ari.objects["endpoint/d7kq2m9xw4"] = {}  # a desk phone, from its file
    await BrowserEndpoints(tmp_path, ari).apply([SAM])  # the engine is another
    assert "endpoint/bmio2m9xw4" not in ari.objects and "endpoint/d7kq2m9xw4" in ari.objects
    ari.objects.clear()  # Asterisk is another
    endpoints.distrust()
    await endpoints.apply([SAM])
    assert set(ari.objects) == {"auth/bsam2m9xw4", "aor/bsam2m9xw4", "endpoint/bsam2m9xw4"}


async def test_what_could_not_be_told_is_told_again(endpoints: BrowserEndpoints, ari: PaperAri) -> None:
    ari.broken = "endpoint/"
    with pytest.raises(AriError):
        await endpoints.apply([MIO])
    ari.broken = ""
    ari.asked.clear()
    await endpoints.apply([MIO])
    assert ari.asked_to("PUT") == ["endpoint/bmio2m9xw4"]


@pytest.mark.covers("TRUST17")
@pytest.mark.parametrize("change", [{"id": "b/../x"}, {"did": "+1;x"}, {"ha1": "x"}, {"language": "e\nn"}])
async def test_a_value_that_is_no_such_thing_is_refused(
    endpoints: BrowserEndpoints, ari: PaperAri, change: dict[str, Any]
) -> None:
    with pytest.raises(ProvisionError, match="correct it"):
        await endpoints.apply([replace(MIO, **change)])
    assert not ari.objects


def test_a_section_is_read_with_its_templates_before_it() -> None:
    text = "; a comment\n[a](!)\ntype = x\none = 1 ; rest\ntwo => 2\n[b](!,a)\none = 3\n[c](b)\nfour = a=b\n"
    assert options_of(text, "c") == [("one", "1"), ("two", "2"), ("one", "3"), ("four", "a=b")]
    with pytest.raises(KeyError):
        options_of(text, "d")

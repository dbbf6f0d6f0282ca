"""Texts by HTTP providers, over real HTTP: what goes out is what their documents ask for, what comes in is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pbx.adapters.public_http import PublicHttp
from pbx.adapters.sms.http import HttpTransport
from pbx.services.ports_texts import (
    Accepted,
    Delivery,
    Media,
    OutgoingText,
    Refused,
    TransportSettings,
    Uncertain,
    Webhook,
)
from tests.integration.sms.sinks import Sink, a_text

NOW_S = 1_800_000_000
BODY = "Déjà vu 👋🏽 会議は3時です\nsecond line & 100% = “quoted”"
KEY = Ed25519PrivateKey.generate()
PUBLIC_KEY = base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


class Provider:
    """Answers as it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status, self.answer = 201, {"sid": "SM1", "data": {"id": "40-1"}, "id": "g-1"}
        self.headers: dict[str, str] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        app = web.Application()
        app.router.add_get("/files/{name}", self._file)
        app.router.add_route("*", "/{path:.*}", self._take)
        self.server = TestServer(app, host="127.0.0.1")

    async def _take(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        return web.json_response(self.answer, status=self.status, headers=self.headers)

    async def _file(self, request: web.Request) -> web.Response:
        self.asked.append(("GET", request.path, dict(request.headers), b""))
        kind, content = self.files[request.match_info["name"]]
        return web.Response(body=content, headers={"Content-Type": kind})

    @property
    def base(self) -> str:
        return str(self.server.make_url("")).rstrip("/")


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
async def http() -> AsyncIterator[PublicHttp]:
    client = PublicHttp("127.0.0.1")
    yield client
    await client.close()


def transport(provider: Provider, http: PublicHttp, sink: Sink, kind: str, **options: Any) -> HttpTransport:
    secrets = {"secret": "tok en", "signing_key": PUBLIC_KEY if kind == "telnyx" else options.pop("key", "")}
    shared = {"provider": kind, "url": provider.base, "account": "AC1", "public_url": "https://pbx.example.com/"}
    return HttpTransport(TransportSettings("tt_1", "x", "http", shared | options, secrets), sink, http, lambda: NOW_S)


def hook(
    body: bytes, headers: dict[str, str], url: str = "https://pbx.example.com/api/v1/text-webhooks/tt_1"
) -> Webhook:
    return Webhook("POST", url, {name.lower(): value for name, value in headers.items()}, {}, body, "192.0.2.7")


def of_twilio(fields: dict[str, str], key: str = "tok en") -> Webhook:
    url = "https://pbx.example.com/api/v1/text-webhooks/tt_1"
    signed = url + "".join(name + value for name, value in sorted(fields.items()))
    signature = base64.b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    return hook(urlencode(fields).encode(), {"X-Twilio-Signature": signature})


def of_telnyx(event: str, payload: dict[str, Any], at: int = NOW_S) -> Webhook:
    body = json.dumps({"data": {"event_type": event, "payload": payload}}).encode()
    signature = base64.b64encode(KEY.sign(f"{at}|".encode() + body)).decode()
    return hook(body, {"Telnyx-Signature-Ed25519": signature, "Telnyx-Timestamp": str(at)})


@pytest.mark.covers("T5", "T3")
async def test_twilio_is_asked_with_a_form_and_its_id_is_kept(provider: Provider, http: PublicHttp) -> None:
    media = Media("image/png", "a.png", Path("a.png"), id="at_1")
    text = OutgoingText("tx_1", "+14155550101", "+12065550140", BODY, "ucs2", 2, (media,))
    by = transport(provider, http, Sink(), "twilio")
    assert await by.send(text) == Accepted("SM1")
    [(method, path, headers, body)] = provider.asked
    assert (method, path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"AC1:tok en").decode()
    fields = dict(parse_qsl(body.decode()))
    fetched = urlsplit(fields.pop("MediaUrl"))
    assert fetched.geturl().startswith("https://pbx.example.com/api/v1/text-media/tt_1/at_1?")
    signed = dict(parse_qsl(fetched.query))
    assert by.media.genuine("at_1", int(signed["until"]), signed["signature"])
    assert not by.media.genuine("at_2", int(signed["until"]), signed["signature"])
    assert not by.media.genuine("at_1", int(signed["until"]) + 1, signed["signature"])
    assert not by.media.genuine("at_1", NOW_S - 1, by.media._signature("at_1", NOW_S - 1)), "its day is over"
    assert fields == {
        "From": "+14155550101",
        "To": "+12065550140",
        "Body": BODY,
        "StatusCallback": "https://pbx.example.com/api/v1/text-webhooks/tt_1",
    }


@pytest.mark.covers("T5", "T3")
async def test_a_file_that_the_provider_could_not_fetch_is_no_text_without_it(
    provider: Provider, http: PublicHttp
) -> None:
    text = OutgoingText(
        "tx_1", "+14155550101", "+12065550140", BODY, "ucs2", 2, (Media("a/b", "a", Path(), id="at_1"),)
    )
    for kind in ("twilio", "telnyx"):
        came = await transport(provider, http, Sink(), kind, public_url="").send(text)
        assert isinstance(came, Refused) and came.permanent and "public address" in came.sentence
    assert not provider.asked


@pytest.mark.covers("T5", "T3")
async def test_telnyx_is_asked_with_json_and_its_id_is_kept(provider: Provider, http: PublicHttp) -> None:
    assert await transport(provider, http, Sink(), "telnyx").send(a_text(BODY)) == Accepted("40-1")
    [(method, path, headers, body)] = provider.asked
    assert (method, path, headers["Authorization"]) == ("POST", "/v2/messages", "Bearer tok en")
    assert json.loads(body)["text"] == BODY


@pytest.mark.covers("T5", "T3")
async def test_a_template_is_filled_in_as_each_place_needs_it_and_only_once(
    provider: Provider, http: PublicHttp
) -> None:
    made = transport(
        provider,
        http,
        Sink(),
        "template",
        url=f"{provider.base}/send?to={{{{receiver}}}}",
        headers="X-Key: {{secret}}\nX-Id: {{message_id}}",
        template='{"m": {"text": "{{body}}", "n": {{segments}}}}',
        repeatable=True,
    )
    assert await made.send(a_text('say "{{secret}}"\n☎')) == Accepted("g-1")
    assert made.repeatable
    [(_, path, headers, body)] = provider.asked
    assert path == "/send?to=%2B12065550140"
    assert (headers["X-Key"], headers["X-Id"], headers["Idempotency-Key"]) == ("tok en", "tx_01", "tx_01")
    assert json.loads(body) == {"m": {"text": 'say "{{secret}}"\n☎', "n": 1}}


@pytest.mark.covers("T4", "T5")
@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (400, {"code": 21610, "message": "unsubscribed"}, ("21610", True)),
        (429, {}, ("throttled", False)),
        (401, {"code": 20003}, ("20003", False)),
        (503, {}, ("http_503", False)),
    ],
)
async def test_a_refusal_says_why_and_whether_it_is_worth_another_try(
    provider: Provider, http: PublicHttp, status: int, answer: dict[str, Any], expected: tuple[str, bool]
) -> None:
    provider.status, provider.answer, provider.headers = status, answer, {"Retry-After": "7"}
    sent = await transport(provider, http, Sink(), "twilio").send(a_text())
    assert isinstance(sent, Refused)
    assert (sent.code, sent.permanent) == expected
    assert sent.retry_after_s == (7.0 if status in (429, 503) else None)
    assert sent.sentence.endswith(".")


@pytest.mark.covers("T5")
async def test_what_may_have_arrived_is_called_uncertain(provider: Provider, http: PublicHttp) -> None:
    provider.status = 502
    assert isinstance(await transport(provider, http, Sink(), "twilio").send(a_text()), Uncertain)
    away = transport(provider, http, Sink(), "twilio", url="http://127.0.0.1:9")
    nobody = await away.send(a_text())
    assert isinstance(nobody, Refused)
    assert (nobody.permanent, away.condition) == (False, nobody.sentence)
    inside = await transport(provider, http, Sink(), "twilio", url="http://10.0.0.1").send(a_text())
    assert isinstance(inside, Refused)
    assert inside.code == "address_not_allowed"


@pytest.mark.covers("T5", "T3")
async def test_a_text_with_a_file_comes_in_by_a_signed_webhook(provider: Provider, http: PublicHttp) -> None:
    sink = Sink()
    made = transport(provider, http, sink, "twilio")
    provider.files = {"cat.png": ("image/png", b"png"), "bad.exe": ("application/x-dosexec", b"MZ")}
    fields = {"MessageSid": "MM1", "From": "+12065550140", "To": "+14155550101", "Body": BODY, "NumMedia": "3"}
    fields |= {f"MediaUrl{at}": f"{provider.base}/files/{name}" for at, name in enumerate(provider.files)}
    fields["MediaUrl2"] = "http://169.254.169.254/latest"
    reply = await made.webhook(of_twilio(fields))
    assert (reply.status, reply.content_type, b"<Response/>" in reply.body) == (200, "text/xml", True)
    [text] = sink.texts
    assert (text.provider_id, text.sender, text.receiver, text.body) == ("MM1", "+12065550140", "+14155550101", BODY)
    assert [(each.name, each.content_type, each.content) for each in text.media] == [("cat.png", "image/png", b"png")]


@pytest.mark.covers("T5")
async def test_a_webhook_that_was_changed_or_signed_by_another_is_refused(provider: Provider, http: PublicHttp) -> None:
    sink = Sink()
    made = transport(provider, http, sink, "twilio")
    fields = {"MessageSid": "MM1", "From": "+12065550140", "To": "+14155550101", "Body": "hi"}
    right = of_twilio(fields)
    changed = Webhook("POST", right.url, right.headers, {}, right.body.replace(b"hi", b"ho"), "192.0.2.7")
    for wrong in (changed, of_twilio(fields, "another key"), hook(right.body, {})):
        assert (await made.webhook(wrong)).status == 401
    telnyx = transport(provider, http, sink, "telnyx")
    old = of_telnyx("message.received", {"id": "1"}, NOW_S - 600)
    assert (await telnyx.webhook(old)).status == 401
    assert sink.texts == []


@pytest.mark.covers("T4", "T5")
async def test_reports_of_each_provider_become_ours(provider: Provider, http: PublicHttp) -> None:
    sink = Sink()
    twilio, telnyx = transport(provider, http, sink, "twilio"), transport(provider, http, sink, "telnyx")
    await twilio.webhook(of_twilio({"MessageSid": "SM1", "MessageStatus": "delivered"}))
    await twilio.webhook(of_twilio({"MessageSid": "SM2", "MessageStatus": "undelivered", "ErrorCode": "30006"}))
    await twilio.webhook(of_twilio({"MessageSid": "SM3", "MessageStatus": "queued"}))
    failed = {"id": "40-1", "to": [{"status": "delivery_failed"}], "errors": [{"code": "40300", "title": "Blocked"}]}
    await telnyx.webhook(of_telnyx("message.finalized", failed))
    assert [(each.provider_id, each.state, each.code) for each in sink.reports] == [
        ("SM1", Delivery.DELIVERED, ""),
        ("SM2", Delivery.FAILED, "30006"),
        ("40-1", Delivery.FAILED, "40300"),
    ]
    assert "landline" in sink.reports[1].sentence


@pytest.mark.covers("T5")
async def test_any_provider_signs_with_hmac_sha256_over_the_raw_body(provider: Provider, http: PublicHttp) -> None:
    sink = Sink()
    options = {"key": "k", "timestamp_header": "X-Time", "came": "sender = msisdn.0.n\nbody = m"}
    made = transport(provider, http, sink, "template", **options)
    body = json.dumps({"id": 7, "msisdn": [{"n": "12065550140"}], "to": "+14155550101", "m": BODY}).encode()
    digest = hmac.new(b"k", f"{NOW_S}.".encode() + body, hashlib.sha256).hexdigest()
    right = {"X-Signature": f"sha256={digest}", "X-Time": str(NOW_S)}
    assert (await made.webhook(hook(body, right))).status == 200
    assert (await made.webhook(hook(body + b" ", right))).status == 401
    assert [(each.provider_id, each.sender, each.body) for each in sink.texts] == [("7", "+12065550140", BODY)]


@pytest.mark.covers("T5", "P3")
async def test_what_cannot_be_kept_now_is_asked_for_again(provider: Provider, http: PublicHttp) -> None:
    sink = Sink()
    sink.away = True
    made = transport(provider, http, sink, "telnyx")
    payload = {
        "id": "1",
        "from": {"phone_number": "+12065550140"},
        "to": [{"phone_number": "+14155550101"}],
        "text": "x",
    }
    assert (await made.webhook(of_telnyx("message.received", payload))).status == 503
    sink.away = False
    assert (await made.webhook(of_telnyx("message.received", payload))).status == 200
    assert len(sink.texts) == 1

"""What a browser may say over the websocket, and every way of saying somebody else's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.core.sip_frames import Refusal, Speaker

ME, OTHER, CONTACT = "bmio2m9xw4", "bsam2m9xw4", "x7c1"


def frame(
    start: str = "INVITE sip:+12065550150@switchhook SIP/2.0",
    sender: str = f"<sip:{ME}@switchhook>;tag=1",
    to: str = "<sip:+12065550150@switchhook>",
    *more: str,
    body: str = "",
    length: str | None = None,
) -> str:
    lines = [start, "Via: SIP/2.0/WS a.invalid;branch=z9hG4bK1", f"From: {sender}", f"To: {to}", "Call-ID: 1", *more]
    lines.append(f"Content-Length: {len(body.encode()) if length is None else length}")
    return "\r\n".join(lines) + "\r\n\r\n" + body


def register(
    sender: str = f"<sip:{ME}@switchhook>;tag=1", to: str = f"<sip:{ME}@switchhook>", *more: str, contact: str = CONTACT
) -> str:
    return frame("REGISTER sip:switchhook SIP/2.0", sender, to, f"Contact: <sip:{contact}@a.invalid>", *more)


def refused(*frames: str) -> str:
    speaker = Speaker(ME)
    with pytest.raises(Refusal) as refusal:
        for each in frames:
            speaker.check(each)
    return str(refusal.value)


@pytest.mark.parametrize(
    "said",
    [
        frame(),
        frame(body="v=0\r\n\r\n…"),
        frame(sender=f'"sip:{OTHER}@x <sip:{OTHER}@x>" <sip:{ME}@switchhook>;tag=1'),
        frame(sender=f"sip:{ME}@switchhook;tag=1"),
        frame(sender=f"Mio Tanaka <sips:{ME}@switchhook:5061;transport=ws>;tag=1"),
        frame("ACK sip:1@a SIP/2.0"),
        register(),
        register(more := f"<sip:{ME}@switchhook>", more, f'Authorization: Digest username="{ME}", realm="switchhook"'),
        frame().replace("From:", "f :").replace("To:", "t:").replace("Content-Length", "l"),
        frame().replace("From: ", "From:\r\n "),
        "SIP/2.0 200 OK\r\nVia: x\r\nFrom: <sip:+12065550150@1.2.3.4>;tag=2\r\nTo: <sip:x7c1@a>;tag=3\r\nl: 0\r\n\r\n",
        "\r\n\r\n",
        "\r\n",
    ],
)
def test_what_a_phone_says_in_its_own_name_passes(said: str) -> None:
    Speaker(ME).check(said)


@pytest.mark.covers("TRUST15")
@pytest.mark.parametrize(
    "said",
    [
        frame(sender=f"<sip:{OTHER}@switchhook>;tag=1"),
        frame(sender=f'"{ME}" <sip:{OTHER}@switchhook>;tag=1'),
        frame(sender=f'"a\\" <sip:{ME}@x>" <sip:{OTHER}@switchhook>;tag=1'),
        frame(sender=f"<sip:{OTHER}@switchhook>;x=<sip:{ME}@switchhook>"),
        frame(sender=f"<sip:{ME}@x>,<sip:{OTHER}@x>"),
        frame(sender=f"<sip:{ME}%00@switchhook>"),
        frame(sender=f"<sip:{ME.upper()}@switchhook>"),
        frame(sender="<sip:switchhook>;tag=1"),
        frame(sender="<tel:+12065550150>;tag=1"),
        frame(sender=""),
        frame("BYE sip:1@a SIP/2.0", f"<sip:{OTHER}@switchhook>;tag=1", "<sip:1@a>;tag=2"),
        register(to=f"<sip:{OTHER}@switchhook>"),
        register(sender=f"<sip:{OTHER}@switchhook>;tag=1"),
        register(to=f"<sip:{OTHER}@switchhook>;tag=1"),
        frame("OPTIONS sip:a SIP/2.0", f"<sip:{OTHER}@switchhook>;tag=1"),
        frame("MESSAGE sip:a SIP/2.0", f"<sip:{OTHER}@switchhook>;tag=1"),
        *(
            frame(more := "INVITE sip:1@a SIP/2.0", f"<sip:{ME}@x>;tag=1", "<sip:1@a>", f"{name}: Digest {digest}")
            for name in ("Authorization", "proxy-authorization")
            for digest in (
                f'username="{OTHER}", realm="switchhook"',
                f'realm="switchhook", USERNAME = {OTHER}',
                f'username="{ME}", username="{OTHER}"',
                f"username*=UTF-8''{OTHER}",
                'realm="switchhook"',
            )
        ),
    ],
)
def test_whoever_names_another_phone_is_cut_off(said: str) -> None:
    assert "another phone" in refused(said)


def test_a_request_in_a_call_that_came_may_carry_the_name_under_which_the_phone_registered() -> None:
    speaker = Speaker(ME)
    bye = frame("BYE sip:1@a SIP/2.0", f"<sip:{CONTACT}@a.invalid>;tag=1", "<sip:1@a>;tag=2")
    with pytest.raises(Refusal):
        Speaker(ME).check(bye)
    speaker.check(register())
    speaker.check(bye)
    with pytest.raises(Refusal):
        speaker.check(frame(sender=f"<sip:{CONTACT}@a.invalid>;tag=1"))


def test_what_a_browsers_phone_adds_to_its_contact_hides_no_name() -> None:
    speaker = Speaker(ME)
    more = ';+sip.ice;reg-id=1;+sip.instance="<urn:uuid:6f1e1dc1-9f4e-4d6f-8f0f-0c9a4a3b7d11>";expires=300'
    speaker.check(register().replace("@a.invalid>", f"@a.invalid;transport=ws>{more}"))
    speaker.check(frame("BYE sip:1@a SIP/2.0", f"<sip:{CONTACT}@a.invalid>;tag=1", "<sip:1@a>;tag=2"))


def test_a_phone_registers_under_a_bounded_number_of_names() -> None:
    assert "too many names" in refused(*(register(contact=f"c{number}") for number in range(30)))


@pytest.mark.covers("TRUST12")
@pytest.mark.parametrize(
    "said",
    [
        frame() + frame(sender=f"<sip:{OTHER}@switchhook>;tag=1"),  # Asterisk would read the second, too
        frame(body="abc", length="2"),
        frame(body="abc", length="4"),
        frame(length="0\r\nContent-Length: 0"),
        frame(length="0\r\nl: 0"),
        frame(length="-1"),
        frame(length="٣"),
        frame(length=""),
        frame().replace("Content-Length: 0\r\n", ""),
        frame(to=f"<sip:a@b>\r\nf: <sip:{OTHER}@switchhook>;tag=9"),
        frame(to="<sip:a@b>\r\nno colon here"),
        frame(to=f"<sip:a@b>\nFrom: <sip:{OTHER}@switchhook>;tag=9"),
        frame(to=f"<sip:a@b>\rFrom: <sip:{OTHER}@switchhook>;tag=9"),
        frame(to="<sip:a@b>\0"),
        frame("INVITE sip:a b SIP/2.0"),
        frame("invite sip:a SIP/2.0"),
        frame("GET / HTTP/1.1"),
        frame("SIP/2.0 9 Nonsense"),
        "INVITE",
        "{}",
        "",
    ][:-1],
)
def test_what_could_be_read_in_two_ways_or_is_no_sip_is_refused(said: str) -> None:
    assert "SIP message" in refused(said)


@given(st.text(max_size=300), st.integers(0, 200))
def test_nothing_that_is_sent_does_worse_than_being_refused(text: str, at: int) -> None:
    for said in (text, frame()[:at] + text + frame()[at:]):
        try:
            Speaker(ME).check(said)
        except Refusal:
            continue

"""The contexts of the small fixed gate; see ``dialplans/fallback.conf`` for what goes by them.

What a phone dialled is judged by digits alone, filtered before: the texts here are ours and the directory's, and each
is checked once more, as a bracket too many would be dialplan of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pbx.adapters.asterisk.device_options import E164, ID, LANGUAGE, checked
from pbx.services.ports_provision import FallbackCaller, FallbackCountry, FallbackGate, WayOut

MOST_WAYS = 9
_DIGITS = re.compile(r"[0-9]{0,6}")
_PREFIX = re.compile(r"[0-9+*#]{0,20}")
_DENIED = re.compile(r"\+[0-9]{1,15}")
_PATTERN = re.compile(r"[0-9\[\]{}|,()?-]{1,3000}")
_FORMS = {
    "e164": "${NUMBER}",
    "e164_no_plus": "${NUMBER:1}",
    "international_00": "00${NUMBER:1}",
    "national": "${NATIONAL_FORM}",
}


def render_gate(gate: FallbackGate) -> list[str]:
    """[fallback-device], [fallback-refused], [fallback-denied], [fallback-reach] and [fallback-ways]."""
    lines = ["\n[fallback-device]"]
    for caller in gate.callers:
        lines += extension(checked(ID, caller.device, "device"), _caller(caller))
    lines.append("\n[fallback-refused]")
    lines += [
        f"exten => {checked(E164, number, 'number that is not to be called')},1,NoOp()" for number in gate.refused
    ]
    lines.append("\n[fallback-denied]")
    lines += [f"exten => _{checked(_DENIED, prefix, 'prefix')}!,1,NoOp()" for prefix in gate.denied_prefixes]
    lines.append("\n[fallback-reach]")
    lines += extension("s", list(_reach(gate.countries)))
    lines.append("\n[fallback-ways]")
    return lines + extension("s", [*_ways(gate.ways), "Return()"])


def extension(exten: str, steps: Sequence[str]) -> list[str]:
    """A step may begin with its label, as in ``(label)Return()``."""
    first, *others = steps
    return [f"exten => {exten},1,{first}", *(f" same => n{_labelled(step)}" for step in others)]


def _labelled(step: str) -> str:
    label, bracket, rest = step.partition(")")
    return f"{label}),{rest}" if bracket and step.startswith("(") else f",{step}"


def _caller(caller: FallbackCaller) -> list[str]:
    return [
        f"Set(FROM={checked(E164, caller.did, 'number of ' + caller.device)})",
        f"Set(COUNTRY_CODE={checked(_DIGITS, caller.country_code, 'country code')})",
        f"Set(INTERNATIONAL={checked(_DIGITS, caller.international, 'international prefix')})",
        f"Set(NATIONAL={checked(_DIGITS, caller.national, 'national prefix')})",
        f"Set(USER_LANGUAGE={checked(LANGUAGE, caller.language, 'language')})",
        *recorded(caller.record, caller.announce),
        "Return()",
    ]


def recorded(record: bool, announce: bool) -> list[str]:
    return [f"Set(RECORD={int(record)})", f"Set(ANNOUNCE={int(announce)})"]


def _reach(countries: Sequence[FallbackCountry]) -> Iterator[str]:
    """Sets REACHED to 1 and NATIONAL_FORM where the number is one of these countries'."""
    yield "Set(REACHED=0)"
    for index, country in enumerate(countries):
        code = checked(_DIGITS, country.code, "country code")
        label, following = f"c{index}", f"c{index + 1}"
        yield f"({label})Set(NSN=${{NUMBER:{len(code) + 1}}})"
        yield f'GotoIf($["${{NUMBER:1:{len(code)}}}" != "{code}"]?{following})'
        if country.premium:
            yield from _matches(country.premium, following)
        for kind in country.kinds:
            yield from _matches(kind, f"{label}yes")
        yield f"Goto({following})"
        yield f"({label}yes)Set(NATIONAL_FORM={checked(_DIGITS, country.national, 'national prefix')}${{NSN}})"
        yield "Set(REACHED=1)"
        yield "Return()"
    yield f"(c{len(countries)})Return()"


def _matches(pattern: str, label: str) -> Iterator[str]:
    yield f'Set(MATCHED=${{REGEX("^({checked(_PATTERN, pattern, "pattern")})$" ${{NSN}})}})'
    yield f'GotoIf($["${{MATCHED}}" = "1"]?{label})'


def _ways(ways: Sequence[WayOut]) -> Iterator[str]:
    for index, way in enumerate(ways[:MOST_WAYS], start=1):
        prefix, form = checked(_PREFIX, way.prefix, "prefix"), _FORMS.get(way.number_format, "${NUMBER}")
        yield f"Set(WAY_{index}=PJSIP/{prefix}{form}@{checked(ID, way.trunk, 'trunk')})"

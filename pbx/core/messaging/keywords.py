"""The words by which people say that they want no more texts, want them again, or want to know who writes (T7).

A word counts only where it is the whole text, in any case and width, with or without punctuation: "Please stop by at
five" is none. The tables are data and may be replaced by an organisation's own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Wish(StrEnum):
    STOP = "stop"
    HELP = "help"
    START = "start"


Words = Mapping[str, Mapping[Wish, tuple[str, ...]]]

WORDS: Words = {
    "en": {
        Wish.STOP: (
            "stop",
            "stopall",
            "stop all",
            "unsubscribe",
            "cancel",
            "end",
            "quit",
            "revoke",
            "opt out",
            "optout",
        ),
        Wish.HELP: ("help", "info"),
        Wish.START: ("start", "unstop", "opt in", "optin", "subscribe"),
    },
    "ja": {
        Wish.STOP: (
            *(
                "停止",
                "配信停止",
                "送信停止",
                "受信停止",
                "解除",
                "配信解除",
                "登録解除",
                "退会",
                "中止",
                "拒否",
                "受信拒否",
            ),
            *("ストップ", "やめて", "やめる", "止めて", "いりません", "不要"),
        ),
        Wish.HELP: ("ヘルプ", "へるぷ", "問い合わせ", "お問い合わせ", "使い方"),
        Wish.START: ("再開", "配信再開", "受信再開", "開始", "配信開始", "スタート"),
    },
    "es": {
        Wish.STOP: ("parar", "alto", "baja", "cancelar", "detener"),
        Wish.HELP: ("ayuda",),
        Wish.START: ("iniciar", "inicio", "comenzar", "alta"),
    },
    "fr": {
        Wish.STOP: ("arret", "arrêt", "arreter", "arrêter", "desabonner", "désabonner"),
        Wish.HELP: ("aide",),
        Wish.START: ("demarrer", "démarrer", "commencer"),
    },
    "de": {
        Wish.STOP: ("stopp", "abmelden", "abbestellen", "ende"),
        Wish.HELP: ("hilfe",),
        Wish.START: ("anmelden", "starten"),
    },
}

ANSWERS: Mapping[str, Mapping[Wish, str]] = {
    "en": {
        Wish.STOP: "{name}: You will get no more texts from us. Reply START to get them again.",
        Wish.HELP: "{name}: You get texts from our staff at this number. Reply STOP to get no more.",
        Wish.START: "{name}: You will get our texts again. Reply STOP to get no more.",
    },
    "ja": {
        Wish.STOP: "{name}：今後、ショートメッセージをお送りしません。再開するには「再開」とご返信ください。",
        Wish.HELP: "{name}：この番号から担当者がご連絡しています。停止するには「停止」とご返信ください。",
        Wish.START: "{name}：ショートメッセージの送信を再開します。停止するには「停止」とご返信ください。",
    },
    "es": {
        Wish.STOP: "{name}: No recibirá más mensajes. Responda INICIAR para volver a recibirlos.",
        Wish.HELP: "{name}: Nuestro equipo le escribe desde este número. Responda PARAR para no recibir más.",
        Wish.START: "{name}: Volverá a recibir nuestros mensajes. Responda PARAR para no recibir más.",
    },
    "fr": {
        Wish.STOP: "{name} : vous ne recevrez plus nos SMS. Répondez START pour les recevoir à nouveau.",
        Wish.HELP: "{name} : notre équipe vous écrit depuis ce numéro. Répondez STOP pour ne plus en recevoir.",
        Wish.START: "{name} : vous recevrez à nouveau nos SMS. Répondez STOP pour ne plus en recevoir.",
    },
    "de": {
        Wish.STOP: "{name}: Sie erhalten keine SMS mehr von uns. Mit START erhalten Sie sie wieder.",
        Wish.HELP: "{name}: Unter dieser Nummer schreiben Ihnen unsere Mitarbeiter. Mit STOPP erhalten Sie keine mehr.",
        Wish.START: "{name}: Sie erhalten unsere SMS wieder. Mit STOPP erhalten Sie keine mehr.",
    },
}

_OF_COUNTRY = {"JP": "ja", "ES": "es", "MX": "es", "AR": "es", "CO": "es", "FR": "fr", "DE": "de", "AT": "de"}


@dataclass(frozen=True, slots=True)
class Heard:
    """``word`` as it was understood, ``language`` that of the answer."""

    wish: Wish
    word: str
    language: str


def heard(text: str, country: str = "", words: Words = WORDS) -> Heard | None:
    """``country`` is the sender's: people everywhere write STOP, and want the answer in their own language."""
    said = _folded(text)
    if not said:
        return None
    for language, wishes in words.items():
        for wish, known in wishes.items():
            if said in map(_folded, known):
                spoken = language if language != "en" else _OF_COUNTRY.get(country, "en")
                return Heard(wish, said, spoken)
    return None


def answer(found: Heard, name: str) -> str:
    """The one confirmation; ``name`` says who writes."""
    return ANSWERS.get(found.language, ANSWERS["en"])[found.wish].format(name=name)


@lru_cache(maxsize=1024)
def _folded(text: str) -> str:
    """Width, case, punctuation and spaces at the ends do not matter, nor how many spaces stand between."""
    kept = unicodedata.normalize("NFKC", text).casefold()
    spaced = "".join(" " if unicodedata.category(each)[0] in "PZCS" else each for each in kept)
    return " ".join(spaced.split())

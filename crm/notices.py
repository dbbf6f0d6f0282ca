"""What the operator accepts before calls are made and before they are recorded (N5): texts as data, with a version.

Who changes what a text says gives it the next version: it is then asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """``texts`` by language."""

    key: str
    version: int
    texts: Mapping[str, Text]

    def text(self, language: str) -> Text:
        return self.texts.get(language.lower()[:2], self.texts[FALLBACK])


VOICE = Notice(
    "voice",
    1,
    {
        "en": Text(
            "You are responsible for the calls that are made with this system",
            "Whoever operates this system is responsible for keeping the law of every country it calls and is called "
            "from: rules on telemarketing and automatic dialling, calling hours, do-not-call lists, caller id, data "
            "protection and emergency calls. Obtain consent where it is required before you call. The system helps "
            "with lists, hours and refusals, but it is not legal advice and cannot decide for you what is allowed. "
            "Test emergency calls with your carrier before you rely on them.",
        ),
        "ja": Text(
            "このシステムによる通話の責任は運用者にあります",
            "本システムの運用者は、発信先および着信元となるすべての国の法令を守る責任を負います。対象には、電話勧誘や"
            "自動発信の規制、発信できる時間帯、発信拒否リスト、発信者番号の表示、個人情報の保護、緊急通報が含まれます。"
            "同意が必要な場合は、発信する前に同意を得てください。本システムはリスト・時間帯・拒否の管理を助けますが、"
            "法的な助言ではなく、何が許されるかを運用者に代わって判断することはできません。緊急通報は、実際に頼る前に"
            "通信事業者と確認してください。",
        ),
    },
)
RECORDING = Notice(
    "recording",
    1,
    {
        "en": Text(
            "You are responsible for the consent to recordings",
            "Whoever operates this system is responsible for recording lawfully. In many countries and states every "
            "party must know of a recording, or agree to it, before it begins; where the parties are in different "
            "places, the stricter law holds. Switch the announcement on where it is required, tell your staff, pause "
            "for card numbers and other secrets, and keep recordings no longer than you need and may. This is not "
            "legal advice.",
        ),
        "ja": Text(
            "録音への同意を得る責任は運用者にあります",
            "本システムの運用者は、録音を適法に行う責任を負います。多くの国や州では、録音を始める前に、すべての通話者が"
            "録音を知っていること、または同意していることが求められます。通話者の所在地が異なる場合は、より厳しい法令に"
            "従ってください。必要な地域では録音の案内を有効にし、従業員に周知し、カード番号などの秘密を聞くときは録音を"
            "一時停止し、録音は必要かつ許される期間だけ保存してください。これは法的な助言ではありません。",
        ),
    },
)
NOTICES: Mapping[str, Notice] = {notice.key: notice for notice in (VOICE, RECORDING)}

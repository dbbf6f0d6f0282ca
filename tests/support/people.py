"""People who could exist: Latin and Japanese names, companies, addresses and numbers, the same for the same seed.

Frequencies follow a Zipf-like law, as those of real names do, so that a search meets both the Smiths and the one
Featherstonehaugh. Numbers are made from ranges that the numbering plans assign, without asking a library for each:
a million people take some ten seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from random import Random
from typing import NamedTuple, TypeVar

T = TypeVar("T")


def _listed(names: str) -> list[str]:
    return names.split()


LATIN_GIVEN = _listed(
    "James Mary John Patricia Robert Jennifer Michael Linda William Elizabeth David Barbara Richard Susan Joseph "
    "Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Margaret Mark Sandra "
    "Donald Ashley Steven Kimberly Paul Emily Andrew Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Dorothy "
    "George Melissa Timothy Deborah Ronald Stephanie Edward Rebecca Jason Sharon Jeffrey Laura Ryan Cynthia Jacob "
    "Kathleen Gary Amy Nicholas Angela Eric Shirley Jonathan Anna Stephen Brenda Larry Pamela Justin Emma Scott "
    "Nicole Brandon Helen Benjamin Samantha Samuel Katherine Gregory Christine Alexander Debra Frank Rachel Patrick "
    "Carolyn Raymond Janet Jack Catherine Dennis Maria Jerry Heather Tyler Diane Aaron Ruth Jose Julie Adam Olivia "
    "Nathan Joyce Henry Virginia Zachary Victoria Douglas Kelly Peter Lauren Kyle Christina Noah Joan Ethan Evelyn "
    "Jeremy Judith Walter Megan Christian Andrea Keith Cheryl Roger Hannah Terry Jacqueline Austin Martha Sean "
    "Gloria Gerald Teresa Carl Ann Harold Sara Dylan Madison Arthur Frances Lawrence Kathryn Jordan Janice Jesse "
    "Jean Bryan Abigail Billy Alice Bruce Julia Gabriel Judy Joe Sophia Logan Grace Alan Denise Juan Amber Albert "
    "Doris Willie Marilyn Elijah Danielle Wayne Beverly Randy Isabella Vincent Theresa Mason Diana Roy Natalie Ralph "
    "Brittany Bobby Charlotte Russell Marie Bradley Kayla Philip Alexis Eugene Lori Simon Omar Aurelio Zoë Jürgen "
    "Søren François Chloé Renée Björn Małgorzata Łukasz Siobhán Niamh Giuseppe Matteo Álvaro Íñigo Wei Priya Anjali"
)
LATIN_FAMILY = _listed(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis "
    "Robinson "
    "Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell "
    "Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris "
    "Morales "
    "Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward "
    "Richardson "
    "Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers "
    "Long "
    "Ross Foster Jimenez Powell Jenkins Perry Russell Sullivan Bell Coleman Butler Henderson Barnes Fisher Vasquez "
    "Simmons Romero Jordan Patterson Alexander Hamilton Graham Reynolds Griffin Wallace Moreno West Cole Hayes "
    "Bryant "
    "Herrera Gibson Ellis Tran Medina Aguilar Stevens Murray Ford Castro Marshall Owens Harrison Fernandez Mcdonald "
    "Woods Washington Kennedy Wells Vargas Henry Chen Freeman Webb Tucker Guzman Burns Crawford Olson Simpson Porter "
    "Hunter Gordon Mendez Silva Shaw Snyder Mason Dixon Munoz Hunt Hicks Holmes Palmer Wagner Black Robertson Boyd "
    "Rose Stone Salazar Fox Warren Mills Meyer Rice Schmidt Garza Daniels Ferguson Nichols Stephens Soto Weaver Ryan "
    "Gardner Payne Grant Dunn Kelley Spencer Hawkins Arnold Pierce Hansen Peters Santos Hart Bradley Knight Elliott "
    "Cunningham Duncan Armstrong Hudson Carroll Lane Riley Andrews Alvarado Ray Delgado Berry Perkins Hoffman "
    "Johnston "
    "Matthews Pena Richards Contreras Willis Carpenter Lawrence Sandoval Guerrero George Chapman Rios Estrada Ortega "
    "Watkins Greene Nunez Wheeler Valdez Harper Burke Larson Santiago Maldonado Morrison Franklin Carlson Austin "
    "Dominguez Carr Lawson Jacobs Obrien Lynch Singh Vega Bishop Montgomery Oliver Jensen Harvey Williamson Gilbert "
    "Dean Sims Espinoza Howell Li Wong Reid Hanson Le Mccoy Garrett Burton Fuller Wang Weber Welch Rojas Lucas "
    "Marquez "
    "Fields Park Yang Little Banks Padilla Day Walsh Bowman Schultz Luna Fowler Mejia Featherstonehaugh Müller "
    "Østergaard"
)
JAPANESE_FAMILY = _listed(
    "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 森 "
    "池田 橋本 阿部 石川 "
    "山下 中島 石井 小川 前田 岡田 長谷川 藤田 後藤 近藤 村上 遠藤 青木 坂本 斉藤 福田 太田 西村 藤井 金子 岡本 "
    "藤原 中野 三浦 原田 中川 "
    "松田 竹内 小野 田村 中山 和田 石田 森田 上田 原 内田 柴田 酒井 宮崎 横山 高木 安藤 宮本 大野 小島 谷口 今井 "
    "工藤 高田 増田 丸山 杉山 "
    "村田 大塚 新井 小山 平野 藤本 河野 上野 武田 野口 松井 千葉 岩崎 菅原 木下 久保 佐野 野村 松尾 市川 菊地 杉本 "
    "古川 大西 島田 水野 桜井 "
    "高野 渡部 吉川 山内 西田 飯田 菊池 西川 小松 北村 安田 五十嵐 川口 平田 関 中田 久保田 服部 東 岩田 土屋 川崎 "
    "福島 本田 辻 樋口 秋山 "
    "田口 永井 中西 吉村 川上 石原 大橋 松岡 馬場 浅野 荒木 大久保 野田 小沢 田辺 川村 星野 黒田 堀 尾崎 望月 永田 "
    "熊谷 内藤 松村 西山 大谷 平井"
)
JAPANESE_GIVEN = _listed(
    "太郎 花子 翔太 大輔 誠 直樹 健一 健太 拓也 亮 達也 浩 陽子 恵子 由美子 久美子 智子 裕子 真由美 明美 美咲 愛 "
    "彩 舞 葵 陽菜 結衣 さくら "
    "凛 美月 莉子 大翔 蓮 悠斗 陽翔 湊 樹 颯太 隆 博 進 清 勝 実 正 茂 三郎 一郎 次郎 和子 幸子 節子 洋子 京子 "
    "文子 和夫 正男 秀雄 哲也 修 "
    "豊 学 徹 剛 淳 聡 洋平 雄太 祐介 慎太郎 千尋 千春 あかり ひかり まなみ めぐみ 美穂 麻衣 友美 奈々 優子 香織 "
    "純子 典子 みゆき ゆうこ 圭 純"
)
JAPANESE_READINGS = _listed(
    "サトウ スズキ タカハシ タナカ イトウ ワタナベ ヤマモト ナカムラ コバヤシ カトウ ヨシダ ヤマダ ササキ ヤマグチ"
)
COMPANY_WORDS = _listed(
    "Acme Northwind Contoso Globex Initech Umbra Stark Wayne Vandelay Hooli Marcom Apex Summit Pioneer Horizon Delta "
    "Vertex Quantum Harbor Evergreen Redwood Bluebird Silverline Ironwood Lakeside Riverside Granite Cedar Falcon "
    "Orion "
    "Atlas Beacon Cascade Crescent Dynamo Eclipse Fusion Gateway Helix Impact Junction Keystone Liberty Meridian "
    "Nexus "
    "Oasis Pinnacle Quest Radiant Sterling Titan Unity Vanguard Westfield Zenith Alpine Bayside Capital Direct Easton"
)
COMPANY_TRADES = _listed(
    "Logistics Foods Software Systems Marketing Medical Energy Textiles Construction Consulting Motors Media "
    "Partners "
    "Holdings Electric Plumbing Insurance Realty Travel Dental Printing Robotics Chemicals Optics Paper Steel Wines"
)
COMPANY_FORMS = _listed("Inc LLC Ltd Corp Group GmbH & Co")
JAPANESE_TRADES = _listed(
    "商事 工業 建設 製作所 電機 運輸 食品 不動産 印刷 通信 化学 産業 物産 設計 システム サービス 観光 薬品 自動車 "
    "金属 ホールディングス"
)
STREETS = _listed(
    "Main Oak Pine Maple Cedar Elm Washington Lake Hill Walnut Spring North Ridge Church Willow Mill Sunset Railroad "
    "Jackson Cherry West South Center Highland Johnson Forest Jefferson Hickory Wilson River Meadow Valley Smith "
    "East "
    "Chestnut Martin Franklin Adams Spruce Laurel Davis Birch Williams Lee Dogwood Green Poplar Locust Woodland "
    "Taylor"
)
STREET_KINDS = _listed("Street Avenue Road Drive Lane Court Boulevard Place Way Terrace")
CITIES = (
    ("New York", "NY", "212"), ("Los Angeles", "CA", "213"), ("Chicago", "IL", "312"), ("Houston", "TX", "713"),
    ("Phoenix", "AZ", "602"), ("Philadelphia", "PA", "215"), ("San Francisco", "CA", "415"), ("Seattle", "WA", "206"),
    ("Denver", "CO", "303"), ("Boston", "MA", "617"), ("Portland", "OR", "503"), ("Atlanta", "GA", "404"),
    ("Miami", "FL", "305"), ("Detroit", "MI", "313"), ("Dallas", "TX", "214"), ("Austin", "TX", "512"),
)  # fmt: skip
JAPANESE_PLACES = (
    ("東京都", "新宿区", "西新宿", "3"), ("東京都", "渋谷区", "道玄坂", "3"), ("東京都", "港区", "六本木", "3"),
    ("東京都", "千代田区", "丸の内", "3"), ("東京都", "世田谷区", "三軒茶屋", "3"),
    ("神奈川県", "横浜市西区", "みなとみらい", "45"),
    ("大阪府", "大阪市北区", "梅田", "6"), ("大阪府", "大阪市中央区", "心斎橋筋", "6"),
    ("愛知県", "名古屋市中区", "栄", "52"),
    ("京都府", "京都市下京区", "四条通", "75"), ("北海道", "札幌市中央区", "大通西", "11"),
    ("福岡県", "福岡市博多区", "博多駅前", "92"),
    ("宮城県", "仙台市青葉区", "一番町", "22"), ("広島県", "広島市中区", "紙屋町", "82"),
    ("兵庫県", "神戸市中央区", "三宮町", "78"),
)  # fmt: skip
STATUSES = ("new", "contacted", "qualified", "unqualified")


class Made(NamedTuple):
    """One generated record, as text, the way a spreadsheet would hold it."""

    kind: str  # lead | contact | company
    name: str
    reading: str
    company: str
    email: str
    phones: tuple[tuple[str, str], ...]  # label, number in E.164
    street: str
    city: str
    region: str
    postcode: str
    country: str
    status: str


def people(count: int, seed: int = 1, *, japanese: float = 0.4) -> Iterator[Made]:
    """``count`` records, of which the share ``japanese`` lives in Japan. 60 % leads, 35 % contacts, 5 % companies."""
    world = _World(Random(seed))
    for number in range(count):
        yield world.someone_in_japan(number) if world.chance() < japanese else world.someone_in_america(number)


def _zipf(words: list[str]) -> list[float]:
    return list(accumulate(1 / (rank + 8) for rank in range(len(words))))


def _ascii(name: str) -> str:
    return name if name.isascii() else "x"


class _World:
    def __init__(self, random: Random) -> None:
        self._random = random
        self.chance = random.random
        self._weights = {
            id(words): _zipf(words) for words in (LATIN_GIVEN, LATIN_FAMILY, JAPANESE_FAMILY, JAPANESE_GIVEN)
        }
        self._syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]

    def someone_in_america(self, number: int) -> Made:
        given, family = self._name(LATIN_GIVEN), self._name(LATIN_FAMILY)
        if self.chance() < 0.1:
            family = self._invented()
        word = self._pick(COMPANY_WORDS) if self.chance() < 0.7 else self._invented()
        company = f"{word} {self._pick(COMPANY_TRADES)} {self._pick(COMPANY_FORMS)}"
        city, region, area = self._pick(CITIES)
        kind = self._kind()
        return Made(
            kind,
            company if kind == "company" else f"{given} {family}",
            "",
            "" if kind == "company" else company,
            f"{_ascii(given)}.{_ascii(family)}{number}@{word}.example".lower(),
            self._phones(lambda _label: f"+1{area}{self._digits(7, 9)}"),
            f"{self._random.randrange(1, 9999)} {self._pick(STREETS)} {self._pick(STREET_KINDS)}",
            city,
            region,
            self._digits(5),
            "US",
            self._pick(STATUSES),
        )

    def someone_in_japan(self, number: int) -> Made:
        family, given = self._name(JAPANESE_FAMILY), self._name(JAPANESE_GIVEN)
        trade = self._pick(JAPANESE_TRADES)
        company = f"株式会社{family}{trade}" if self.chance() < 0.5 else f"{self._name(JAPANESE_FAMILY)}{trade}株式会社"
        prefecture, city, town, area = self._pick(JAPANESE_PLACES)
        kind = self._kind()
        space = " " if self.chance() < 0.5 else ""
        return Made(
            kind,
            company if kind == "company" else f"{family}{space}{given}",
            self._pick(JAPANESE_READINGS) if self.chance() < 0.3 else "",
            "" if kind == "company" else company,
            f"user{number}@mail{number % 97}.example",
            self._phones(lambda label: self._japanese_number(label, area)),
            f"{town}{self._digits(1, 9)}-{self._digits(1, 9)}-{self._random.randrange(1, 30)}",
            city,
            prefecture,
            f"{self._digits(3)}-{self._digits(4)}",
            "JP",
            self._pick(STATUSES),
        )

    def _phones(self, make: Callable[[str], str]) -> tuple[tuple[str, str], ...]:
        chance = self.chance()
        labels = ("work",) if chance < 0.55 else ("work", "mobile") if chance < 0.9 else ("work", "mobile", "home")
        return tuple((label, make(label)) for label in labels)

    def _japanese_number(self, label: str, area: str) -> str:
        if label == "mobile":
            return f"+81{self._pick('789')}0{self._digits(1, 9)}{self._digits(7)}"
        return f"+81{area}{self._digits(1, 9)}{self._digits(8 - len(area))}"

    def _digits(self, count: int, first: int | None = None) -> str:
        """So many digits; with ``first`` the leading one is 2 to ``first`` (or 1 to it for a single digit)."""
        if first is None:
            return str(self._random.randrange(10**count)).zfill(count)
        return str(self._random.randrange(1 if count == 1 else 2, first + 1)) + self._digits(count - 1) * (count > 1)

    def _kind(self) -> str:
        chance = self.chance()
        return "lead" if chance < 0.6 else "contact" if chance < 0.95 else "company"

    def _name(self, words: list[str]) -> str:
        weights = self._weights[id(words)]
        return self._random.choices(words, cum_weights=weights)[0]

    def _pick(self, words: Sequence[T]) -> T:
        return words[int(self.chance() * len(words))]

    def _invented(self) -> str:
        return "".join(self._random.choices(self._syllables, k=3)).capitalize()

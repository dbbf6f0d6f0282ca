"""Which column of a file is which field: by its name in English or Japanese, or as the user says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm.errors import Refused, printable
from crm.search.text import words

_NAMES = {
    "external_id": "id,external id,record id,lead id,contact id,company id,"
    "deal id,customer id,外部id,顧客id,顧客番号,管理番号",
    "name": "name,full name,contact name,lead name,deal name,opportunity,名前,"
    "氏名,お名前,担当者,担当者名,顧客名,案件名,商談名",
    "family_name": "last name,family name,surname,lastname,姓,苗字,名字",
    "given_name": "first name,given name,firstname,名",
    "reading": "reading,furigana,phonetic,phonetic name,kana,フリガナ,ふりがな,カナ,読み,氏名カナ",
    "company": "company,company name,organisation,organization,account,account name,"
    "employer,会社,会社名,企業名,法人名,勤務先,取引先",
    "title": "title,job title,position,role,役職,肩書,部署",
    "email": "email,e mail,email address,e mail address,mail,メール,メールアドレス,eメール,電子メール",
    "email2": "email 2,second email,other email,メール2",
    "phone": "phone,phone number,telephone,telephone number,tel,number,電話,電話番号,tel番号,代表電話",
    "mobile": "mobile,mobile phone,mobile number,cell,cell phone,cellphone,携帯,携帯電話,携帯番号,携帯電話番号",
    "home_phone": "home phone,home number,home tel,自宅電話,自宅電話番号",
    "work_phone": "work phone,business phone,office phone,work number,direct,"
    "会社電話,会社電話番号,勤務先電話,勤務先電話番号,直通",
    "main_phone": "main phone,main number,switchboard,代表番号,代表電話番号",
    "other_phone": "other phone,phone 2,second phone,その他電話,電話2",
    "fax": "fax,fax number,ファックス,ファクス,fax番号",
    "street": "street,address,street address,address line 1,address 1,mailing street,住所,番地,町名番地,住所1",
    "city": "city,town,mailing city,市区町村,市町村,市",
    "region": "region,state,province,prefecture,county,state province,mailing state,都道府県,県",
    "postcode": "postcode,postal code,zip,zip code,mailing zip,郵便番号",
    "country": "country,country code,mailing country,国,国名",
    "website": "website,web,url,homepage,web site,ホームページ,ウェブサイト",
    "status": "status,lead status,ステータス,状態,状況",
    "source": "source,lead source,origin,獲得元,流入元,リードソース",
    "owner": "owner,owner email,assigned to,sales rep,担当営業,営業担当,所有者",
    "note": "note,notes,comment,comments,description,memo,remarks,備考,メモ,コメント,ノート",
    "stage": "stage,deal stage,phase,段階,フェーズ,ステージ",
    "value": "value,amount,deal value,price,金額,売上,受注金額",
    "currency": "currency,通貨",
    "closes": "closes,close date,closing date,expected close,完了予定日,受注予定日",
    "contact_email": "contact email,person email,担当者メール",
    "contact": "contact,person,contact person,primary contact,連絡先",
}
FIELDS = tuple(_NAMES)
"""The fields that a column can be; each is text as a spreadsheet holds it."""

DEAL_FIELDS = frozenset(
    ("external_id", "name", "company", "contact", "contact_email", "owner", "stage", "status", "value", "currency")
) | {"closes", "note"}
RECORD_FIELDS = frozenset(FIELDS) - {"stage", "value", "currency", "closes", "contact_email", "contact"}


def _key(header: str) -> str:
    return "".join(words(header.replace("_", " ")))


_BY_NAME = {_key(name): field for field, names in _NAMES.items() for name in names.split(",")}


def fields_of(kind: str) -> frozenset[str]:
    return DEAL_FIELDS if kind == "deal" else RECORD_FIELDS


def columns(header: Sequence[str], mapping: Mapping[str, str] | None, kind: str) -> list[str | None]:
    """For each column its field, or None. Raises Refused for a mapping that names what is not there, or no name."""
    found = suggested(header, mapping, kind)
    if not named(found):
        raise Refused(
            "no_name_column",
            "No column of the file is a name. Say which one is, for example with the mapping “Customer=name”.",
            "mapping",
        )
    return found


def named(found: Sequence[str | None]) -> bool:
    """Whether anything can be imported at all: what has no name is nobody."""
    return not {"name", "family_name", "given_name", "company"}.isdisjoint(found)


def suggested(header: Sequence[str], mapping: Mapping[str, str] | None, kind: str) -> list[str | None]:
    """The same while somebody is still choosing: there need not be a name yet."""
    known = fields_of(kind)
    chosen = {_key(name): field for name, field in (mapping or {}).items() if field}
    present = {_key(name) for name in header}
    for name, field in (mapping or {}).items():
        if _key(name) not in present:
            raise Refused("no_column", f"The file has no column “{printable(name)}”. Check the mapping.", "mapping")
        if field and field not in known:
            names = ", ".join(sorted(known))
            raise Refused("no_field", f"There is no field “{printable(field)}”. The fields are: {names}.", "mapping")
    ignored = {_key(name) for name, field in (mapping or {}).items() if not field}
    found: list[str | None] = []
    for key in map(_key, header):
        wanted = chosen.get(key) or (None if key in ignored else _automatic(key, kind))
        found.append(wanted if wanted in known and wanted not in found else None)
    return found


def _automatic(key: str, kind: str) -> str | None:
    if kind == "company" and _BY_NAME.get(key) == "company":
        return "name"
    return _BY_NAME.get(key)

"""The demo organisation: made once, and its passwords kept where only this user can read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pbx.config import Config, ConfigError, write_private

if TYPE_CHECKING:
    from crm.unit_of_work import Store, UnitOfWork

_FILE = "demo-secrets.json"
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Login:
    """A demo user as the first screen shows it; what an admin changed since then is not known here."""

    name: str
    email: str
    role: str
    number: str | None
    password: str
    device: str = ""
    secret: str = ""
    language: str = ""


async def prepare(config: Config, store: Store) -> list[Login]:
    """Make the demo where there never was one; its logins as they were made.

    The file is written before the commit: a secret that nobody has seen could not be shown again. Where the commit
    was then cut off, the store has no user, and it is all made again.
    """
    from crm.services import users

    path = config.home / _FILE
    async with store.write() as work:
        if not path.exists() or not await users.list_all(work.session):
            write_private(path, json.dumps(await _made(config, work), indent=1, ensure_ascii=False))
        await _follow_port(config, work)
    return _read(path)


async def _made(config: Config, work: UnitOfWork) -> list[dict[str, Any]]:
    from crm.services import demo

    seeded = await demo.seed(work, practice_host=_LOOPBACK, practice_port=config.practice_sip_port)
    phones = {new.device.user_id: new for new in seeded.devices}
    return [
        {
            "name": user.name,
            "email": user.email,
            "role": user.role,
            "number": user.number,
            "password": seeded.passwords.get(user.email, ""),
            "device": phones[user.id].device.id if user.id in phones else "",
            "secret": phones[user.id].secret if user.id in phones else "",
            "language": user.language,
        }
        for user in seeded.users
    ]


async def _follow_port(config: Config, work: UnitOfWork) -> None:
    """The practice carrier is known by address and port, which are settings of this machine.

    By its port too: desk phones on this machine have the same address.
    """
    from crm.services import demo, trunks

    match = f"{_LOOPBACK}:{config.practice_sip_port}"
    for trunk in await trunks.list_all(work.session):
        is_practice = trunk.name == demo.TRUNK_NAME and trunk.host == _LOOPBACK
        if is_practice and (trunk.port, trunk.match_addresses) != (config.practice_sip_port, (match,)):
            await trunks.change(work, trunk.id, {"port": config.practice_sip_port, "match_addresses": [match]})


def _read(path: Path) -> list[Login]:
    try:
        return [Login(**each) for each in json.loads(path.read_text())]
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{path} is damaged: delete it and start again; passwords are set anew with “pbx user password”."
        ) from error

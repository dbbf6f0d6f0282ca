"""The phone of a login: one per browser session, there while the login is.

Its name is made up and its secret generated, shown once and renewed by asking again: the old one is worth nothing from
then on. With the login (signed out, expired, ended by an admin, by a new password or because the user was switched off)
the database takes the phone away too.
"""

from __future__ import annotations

from http import HTTPStatus

from crm import ids, passwords
from crm.errors import Refused
from crm.models.telephony import BrowserPhone as Row
from crm.models.users import LoginSession
from crm.records import as_dict
from crm.repositories import telephony
from crm.services.devices import NewDevice
from crm.unit_of_work import UnitOfWork

MOST_PER_USER = 20


async def renew(work: UnitOfWork, session_id: str) -> NewDevice:
    """The phone of this login with a new secret; it is made where there is none yet. Raises Refused (401) where the
    login has ended meanwhile."""
    login = await work.session.get(LoginSession, session_id, with_for_update=True)
    if login is None or login.expires_us <= work.at_us:
        raise Refused("login_required", "This login has ended. Sign in again.", status=HTTPStatus.UNAUTHORIZED)
    row = await telephony.browser_row_of(work.session, session_id)
    if row is None:
        row = await _made(work, login)
    secret = passwords.new_secret()
    row.ha1, row.updated_us = passwords.ha1(row.id, secret), work.at_us
    await work.flush()
    device = telephony.to_browser(row, login.user_id)
    work.record("session.phone", session_id, None, as_dict(device), touches_calls=False)
    work.browsers_changed()
    return NewDevice(device, secret)


async def _made(work: UnitOfWork, login: LoginSession) -> Row:
    if await telephony.count_browsers(work.session, login.user_id) >= MOST_PER_USER:
        raise Refused(
            "too_many_browsers",
            f"You are signed in with a phone in {MOST_PER_USER} browsers already. End your other logins first.",
            status=HTTPStatus.CONFLICT,
        )
    row = Row(id=ids.new_browser(), session_id=login.id, created_us=work.at_us, updated_us=work.at_us)
    work.session.add(row)
    return row

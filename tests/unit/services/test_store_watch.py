"""One alert while the database cannot be used, over when it can in every way (TRUST 5)."""

from __future__ import annotations

import pytest

from pbx.services.alerts import Alerts, Kind
from pbx.services.store_watch import StoreWatch
from tests.unit.services.standins import HandClock


@pytest.mark.covers("TRUST5")
def test_the_database_is_back_when_it_can_be_read_and_written() -> None:
    alerts = Alerts(HandClock())
    watch = StoreWatch(alerts)
    watch.back("reading")
    watch.away("writing", "database is locked")
    watch.back("reading")
    assert [alert.kind for alert in alerts.standing] == [Kind.STORE_AWAY]
    assert "(database is locked)" in alerts.standing[0].sentence
    watch.away("reading", "database is locked")
    watch.back("writing")
    assert alerts.standing
    watch.back("reading")
    assert not alerts.standing

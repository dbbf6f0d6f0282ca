"""`pbx rate`, `pbx balance`, `pbx bill` (R2, N4, A1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Run

RATES = "prefix,destination,price\n1,USA,0.01\n81,Japan,0.05\n81x,Nowhere,1\n"


@pytest.mark.covers("R2", "A1", "A6")
def test_rates_are_read_with_a_report_listed_asked_for_and_removed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(RATES)
    done = run("rate", "import", str(file), "--name", "Carrier A", "--from", "2026-01-01", "--json")
    assert done.code == 0, done.err
    assert (done.json["added"], done.json["refused"]) == (2, 1)
    assert "not a prefix" in Path(done.json["report"]).read_text("utf-8-sig")
    assert [table["name"] for table in run("rate", "list", "--json").json] == ["Carrier A"]
    assert [line["price"] for line in run("rate", "show", "Carrier A", "--json").json["items"]] == ["0.01", "0.05"]
    price = run("rate", "price", "+81 3-1234-5678", "--json").json
    assert (price["price"], price["name"], price["increments"]) == ("0.05", "Japan", "60/60")
    assert run("rate", "price", "+44 20 7946 0000", "--json").json["price"] is None
    assert run("rate", "change", "Carrier A", "--name", "Carrier B", "--json").json["name"] == "Carrier B"
    assert run("rate", "remove", "Carrier B").code == 0
    assert run("rate", "show", "Carrier B").code == 1


@pytest.mark.covers("N4", "A1")
def test_the_account_is_topped_up_put_right_and_adds_up(run: Run) -> None:
    assert run("balance", "show", "--json").json["balance_micros"] == 10_000_000
    for _ in range(2):
        assert run("balance", "top-up", "12.50", "--name", "invoice-7", "--json").json["balance"] == "22.5"
    assert run("balance", "adjust", "-2.5", "--memo", "Counted twice", "--json").json["amount"] == "-2.5"
    items = run("balance", "ledger", "--json").json["items"]
    assert [each["kind"] for each in items] == ["adjustment", "top_up", "complimentary"]
    assert run("balance", "verify", "--json").json == {"intact": True, "broken_at": None}
    refused = run("balance", "top-up", "lots")
    assert (refused.code, "Write it like" in refused.err) == (2, True)
    assert run("balance", "adjust", "0", "--memo", "x").code == 1


@pytest.mark.covers("R2", "A1")
def test_a_bill_is_shown_and_written(run: Run, tmp_path: Path) -> None:
    run("balance", "top-up", "1")
    [month] = run("bill", "list", "--json").json
    bill = run("bill", "show", month["month"], "--json").json
    assert (bill["paid_in_micros"], bill["closing_micros"]) == (11_000_000, 11_000_000)
    for name in ("bill.csv", "bill.pdf"):
        done = run("bill", "export", month["month"], str(tmp_path / name), "--language", "ja", "--json")
        assert done.code == 0 and done.json["bytes"] > 50, done.err
    assert (tmp_path / "bill.pdf").read_bytes().startswith(b"%PDF-")
    assert run("bill", "show", "2026-13").code == 1

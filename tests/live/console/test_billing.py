"""What calls cost, in Chromium: rates and credit in an admin's hands, the price in a call (N4, R2, V7)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from crm.services import rate_import, rates
from tests.live.console.page import Open, known_person
from tests.live.console.test_admin import Visitor, admin, contexts
from tests.live.stage import Scene
from tests.support.waiting import until

__all__ = ["admin", "contexts"]
THEIRS = 840


@pytest.mark.covers("N4", "R2", "A1", "A6")
async def test_an_admin_brings_rates_in_reads_what_was_refused_and_tops_up(admin: Visitor, scene: Scene) -> None:
    page, dialog = admin.page, admin.page.get_by_role("dialog")
    await admin.open("/admin/billing?tab=rates")
    await page.get_by_role("button", name="Import rates").click()
    content = b"prefix,destination,price\n88213,Nowhere,0.25\nabc,Else,1\n"
    file = {"name": "nowhere.csv", "mimeType": "text/csv", "buffer": content}
    await dialog.get_by_label("CSV file").set_input_files(files=[file])  # type: ignore[list-item]
    await expect(dialog.get_by_label("Name of the table")).to_have_value("nowhere")
    await dialog.get_by_role("button", name="Import", exact=True).click()
    await expect(dialog.get_by_text("1 prefix imported, 1 line refused.")).to_be_visible(timeout=30_000)
    await expect(dialog.get_by_role("link", name="Refused lines")).to_be_visible()
    await dialog.get_by_role("button", name="Close").last.click()
    await expect(page.get_by_text("In use").first).to_be_visible()
    await page.get_by_role("tab", name="Account").click()
    await page.get_by_role("button", name="Top up").last.click()
    await dialog.get_by_label("Amount in USD").fill("much")
    await dialog.get_by_role("button", name="Top up").click()
    await expect(dialog.get_by_text("Write an amount like 50 or 12.50.")).to_be_visible()
    await dialog.get_by_label("Amount in USD").fill("12.50")
    await dialog.get_by_label("Note").fill("Invoice 118")
    await dialog.get_by_role("button", name="Top up").click()
    await expect(page.get_by_text("Top-up · Invoice 118").first).to_be_visible()
    await expect(page.get_by_text("+$12.50").first).to_be_visible()
    await scene.stack.change(lambda work: rates.remove(work, "nowhere"))


@pytest.mark.covers("N4", "V7", "R2")
async def test_the_price_stands_in_the_search_runs_in_the_bar_and_is_the_cost_in_the_log(
    scene: Scene, open_console: Open, tmp_path: Path
) -> None:
    rep, customer = await scene.rep(phones=0), scene.outside(THEIRS)
    name, engine, file = f"Priscilla Q{customer.number[-4:]}", scene.stack.engine, tmp_path / "rates.csv"
    await known_person(scene, name, ("work", customer.number), company="Ostwind", deal="Twelve containers")
    file.write_text(f"prefix,destination,price\n{customer.number[1:]},Only them,0.60\n")
    table = {"name": name, "direction": "outbound", "valid_from_us": 1}
    await rate_import.run(engine.store, file, table)
    await until(lambda: engine.prices.call(customer.number, None), 20, "the rate to be known")
    console = await open_console(rep)
    await console.key("/")
    await console.page.keyboard.type(name)
    found = console.dialog.get_by_role("option", name=re.compile(name), selected=True)
    await expect(found).to_contain_text("$0.60/min")
    await console.key("Enter")
    theirs = await customer.incoming()
    await theirs.answer()
    await console.until_talking()
    await expect(console.bar).to_contain_text("$0.60")
    await console.press("End")
    await theirs.until_ended()
    await console.until_free()
    logged = await scene.logged(rep)
    await console.page.goto(f"{console.address}/calls/{logged.row.id}")
    await expect(console.page.locator("main")).to_contain_text(re.compile(r"Cost\s*\$0\.60"))
    await scene.stack.change(lambda work: rates.remove(work, name))

// A consultant swaps a policy in mid-period, sees what it moves, and goes back; an administrator looks at the day,
// the month and a sheet. Every amount on the screens is one that the API gives.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowser, people, url, Visit } from "./browser.mjs";

let known;
before(async () => (known = await people()));
after(closeBrowser);

const FEES = "tables/setup_fees.csv";
const rulesetOf = async (visit) => (await visit.get("/v1/status")).ruleset;
const shown = (visit, within) => visit.amounts(within).then((all) => new Set(all));

/** Puts a text into the editor by the keyboard. */
async function write(page, label, text) {
  const editor = page.getByRole("textbox", { name: label }).first();
  await editor.focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text);
}

test("a consultant previews a change in money, activates it and goes back", async () => {
  const visit = await (await Visit.begin()).signIn(known.consultant);
  const { page } = visit;
  const before = await rulesetOf(visit);

  // The fee for gauges rises from 400 to 500.
  await visit.open(`/policies/files/${FEES}`);
  await write(page, new RegExp(FEES), "product,fee\nGauge,500\nSensor,250\n*,100\n");
  await page.getByText(/1 file/).first().waitFor();
  await page.getByRole("link", { name: /Activate|Preview/ }).last().click();
  await page.getByLabel(/again|recredit/i).first().check().catch(() => {});

  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith("/v1/preview") && one.status() === 200),
    page.getByRole("button", { name: "Preview the impact" }).click(),
  ]);
  const preview = await answer.json();
  await page.getByRole("region", { name: "Impact" }).waitFor();
  const amounts = await shown(visit, "section[aria-label=Impact]");
  const lines = [...preview.impact.total, ...preview.money.rewards.total];
  assert.ok(lines.length > 0, "the change moves nothing");
  for (const line of lines) assert.ok(amounts.has(line.difference), `${line.difference} is not among ${[...amounts]}`);

  await page.getByLabel("Reason").fill("Gauges take longer to set up.");
  await page.getByRole("button", { name: "Activate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Activate" }).click();
  await page.waitForURL(/\/policies\/changes\/activation\//);
  const after = await rulesetOf(visit);
  assert.notEqual(after, before);
  assert.equal(after, preview.ruleset);

  await visit.settle();
  await page.getByRole("button", { name: "Roll back" }).first().click();
  const dialog = page.getByRole("dialog");
  // Credits go back as well, so that the next run of this test moves the same.
  await dialog.getByLabel("Decide open periods again").check();
  await dialog.getByLabel("Reason").fill("The fee rises next year.");
  await dialog.getByRole("button", { name: /Roll back|Bring/ }).last().click();
  await page.getByText(/in force again/).first().waitFor();
  assert.equal(await rulesetOf(visit), before);
  await visit.end();
});

test("a misspelt field is found while it is typed, and a deal is tried", async () => {
  const visit = await (await Visit.begin()).signIn(known.consultant);
  const { page } = visit;
  await visit.open("/play");
  const label = /policy|source|script/i;
  await write(page, label, "fn credit(tx) {\n    if tx.amuont > 5 { return tx.default_credit }\n    tx.default_credit\n}\n");
  await page.getByText(/amuont/).first().waitFor();
  await page.getByText(/amount/).first().waitFor();

  await write(page, label, "fn credit(tx) {\n    [share(\"Olga Castro\", 1)]\n}\n");
  await page.waitForFunction(() => !/amuont/.test(document.querySelector("main").innerText));
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith("/v1/editor/run")),
    page.getByRole("button", { name: /^Run/ }).first().click(),
  ]);
  assert.equal(answer.status(), 200, await answer.text());
  const result = await answer.json();
  const credits = (result.plans ?? []).flatMap((plan) => plan.credits);
  assert.ok(credits.length > 0, JSON.stringify(result).slice(0, 600));
  await page.locator("main .amount").first().waitFor();
  const amounts = await shown(visit);
  for (const credit of credits) assert.ok(amounts.has(credit.amount), `${credit.amount} is not among ${[...amounts]}`);
  await visit.end();
});

test("a stranger tries a policy in the demonstration, and reads nothing else", async () => {
  const visit = await Visit.begin();
  await visit.open("/play");
  const [answer] = await Promise.all([
    visit.page.waitForResponse((one) => one.url().endsWith("/v1/editor/run")),
    visit.page.getByRole("button", { name: /^Run/ }).first().click(),
  ]);
  assert.equal(answer.status(), 200, await answer.text());
  for (const path of ["/v1/credits", "/v1/definitions", "/v1/me", "/v1/live"]) assert.equal((await visit.api("GET", path)).status, 401, path);
  await visit.context.close();
});

test("an administrator sees what waits today", async () => {
  const visit = await (await Visit.begin()).signIn(known.administrator);
  const { page } = visit;
  await visit.open("/admin");
  const status = await visit.get("/v1/status");
  const text = await page.locator("main").innerText();
  for (const [name, count] of [["parked", status.parked], ["dead letters", status.dead_letters]]) {
    assert.ok(text.includes(count.toLocaleString("en-GB")), `${count} ${name} in ${text.slice(0, 800)}`);
  }
  await visit.end();
});

test("an administrator runs a calculation, and releases what is new", async () => {
  const visit = await (await Visit.begin()).signIn(known.administrator);
  const { page } = visit;
  const calculation = async () => (await visit.get("/v1/calculations?plan=account-executives&period=2026-11")).data[0];
  await visit.open("/admin/periods/2026-11/account-executives");
  const [begun] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith("/run") && one.request().method() === "POST"),
    page.getByRole("button", { name: "Dry run" }).click(),
  ]);
  const { id } = await begun.json();
  // While a run is under way, nothing of its calculation can be released.
  for (let tries = 0; (await visit.get(`/v1/runs/${id}`)).state !== "done"; tries += 1) {
    assert.ok(tries < 200, "the run does not end");
    await page.waitForTimeout(100);
  }

  const before = (await calculation()).release;
  await page.getByRole("button", { name: /Release credits/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^Release/ }).click();
  await page.getByText("The credits are released.").waitFor();
  const after = (await calculation()).release;
  assert.equal(after.publications, before.publications + 1);
  assert.equal(after.credits.who, known.administrator.name);
  await visit.end();
});

test("finance changes a quota in a sheet and sees what it moves before it is in force", async () => {
  const visit = await (await Visit.begin()).signIn(known.administrator);
  const { page } = visit;
  const before = await rulesetOf(visit);
  await visit.open("/admin/sheets");
  await page.getByRole("link", { name: /^Quotas What/ }).click();
  await visit.settle();

  // The quota of the sellers in this month, so that the open month moves.
  const month = await page.locator("input[data-cell]").evaluateAll((all) => all.find((one) => one.value === "2026-11")?.dataset.cell);
  const cell = page.locator(`input[data-cell="${month.split("-")[0]}-3"]`);
  assert.equal(await cell.inputValue(), "350000");
  await cell.fill("100000");
  await page.getByRole("button", { name: /Preview and activate/ }).click();
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith("/v1/preview") && one.status() === 200),
    page.getByRole("dialog").getByRole("button", { name: /Preview|Show/ }).first().click(),
  ]);
  const preview = await answer.json();
  assert.ok(preview.money.rewards.total.length > 0, "a lower quota moves nothing");
  await page.getByRole("dialog").locator(".amount").first().waitFor();
  const amounts = await shown(visit, "dialog[open]");
  for (const line of preview.money.rewards.total) assert.ok(amounts.has(line.difference), `${line.difference} of ${[...amounts]}`);
  assert.equal(await rulesetOf(visit), before, "a preview must change nothing");
  await visit.end();
});

test("a long table draws only what is in sight, and is found by its end", async () => {
  const visit = await (await Visit.begin()).signIn(known.administrator);
  const { page } = visit;
  await visit.open("/admin/credits");
  const frame = page.getByRole("region").filter({ has: page.getByRole("table") }).first();
  await frame.waitFor();
  const rows = Number(await frame.getByRole("table").getAttribute("aria-rowcount"));
  assert.ok(rows > 1000, `${rows} rows`);
  const drawn = await frame.locator("tbody tr[aria-rowindex]").count();
  assert.ok(drawn < 120, `${drawn} rows are drawn`);
  await frame.evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
  await frame.locator(`tr[aria-rowindex="${rows}"]`).waitFor();
  await visit.end();
});

test("the keyboard alone goes everywhere: the palette, a policy, a preview", async () => {
  const visit = await (await Visit.begin()).signIn(known.consultant);
  const { page } = visit;
  await visit.open("/policies");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("lineage");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/policies\/lineage/);
  await visit.settle();
  // A reader of the screen starts at the heading of the new screen.
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");

  await page.keyboard.press("Control+k");
  await page.keyboard.type("sign out");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await visit.context.close();
});

test("an administrator takes an alert and gives it back", async () => {
  const visit = await (await Visit.begin()).signIn(known.administrator);
  const { page } = visit;
  const own = encodeURIComponent(known.administrator.name);
  const mine = async () => (await visit.get(`/v1/alerts?assignee=${own}`)).data.length;
  assert.equal(await mine(), 0);

  await visit.open("/admin/alerts");
  await page.getByRole("button", { name: /^Nobody's \([1-9]/ }).click();
  await page.getByRole("button", { name: /^Assign to me/ }).first().click();
  await page.getByText("It is assigned to you.").waitFor();
  assert.equal(await mine(), 1);
  await page.getByRole("button", { name: "Mine (1)" }).click();
  await page.getByText(/^1 alert of|^1 alert$/).waitFor();
  await page.getByRole("button", { name: /^Give back/ }).click();
  await page.getByText("It is assigned to nobody.").waitFor();
  assert.equal(await mine(), 0);
  await visit.end();
});

test("an approver reads what differs in a proposal, and what it would move now", async () => {
  const consultant = await (await Visit.begin()).signIn(known.consultant);
  const before = await consultant.getText(`/v1/definitions/${FEES}`);
  const after = before.replace(/^Gauge,.*$/m, "Gauge,987");
  assert.notEqual(after, before);
  const why = `The fee of gauges ${Date.now()}`;
  const made = await consultant.api("POST", "/v1/changes", { files: { [FEES]: after }, draft: true, effective: "recredit", comment: why });
  assert.ok([200, 201, 202].includes(made.status), JSON.stringify(made.body));
  const { change } = made.body;
  await consultant.end();

  const visit = await (await Visit.begin()).signIn(known.administrator);
  const { page } = visit;
  const { texts } = await visit.get(`/v1/changes/${change}`);
  await visit.open("/admin/approvals?all=yes");
  const card = page.getByRole("article", { name: new RegExp(why) });
  await card.getByText(/^What differs/).click();
  assert.deepEqual(texts, [{ path: FEES, before, after }]);
  await card.getByText("Gauge,987").first().waitFor();
  await card.getByRole("button", { name: "Preview it now" }).click();
  await card.getByRole("region", { name: "What the change would do" }).waitFor({ timeout: 60_000 });
  const amounts = await shown(visit, "article section");
  assert.ok([...amounts].some((amount) => !/^-?0(\.0*)?$/.test(amount)), `nothing moves: ${[...amounts]}`);
  assert.equal((await visit.api("DELETE", `/v1/changes/${change}`)).status, 200);
  await visit.end();
});

test("the screen of sources says what came last and what was refused last", async () => {
  const visit = await (await Visit.begin()).signIn(known.administrator);
  const [source] = (await visit.get("/v1/status")).sources ?? [];
  assert.ok(source.last_delivery, JSON.stringify(source));
  const refused = await fetch(`${url}/hooks/${source.source}`, {
    method: "POST", body: "{}", headers: { "content-type": "application/json", "webhook-id": "m-1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA" },
  });
  assert.ok(refused.status >= 400 && refused.status < 500, `${refused.status}`);

  await visit.open("/admin/sources");
  const card = visit.page.getByRole("region", { name: source.source });
  await card.getByText("Last delivery").waitFor();
  await card.getByText(/its signature does not match|its content type|cannot be read/).waitFor();
  await card.getByRole("link", { name: "What to do" }).click();
  await visit.page.waitForURL(/\/problems\//);
  await visit.context.close();
});

test("an activation says which lines of a changed policy no case reaches", async () => {
  const visit = await (await Visit.begin()).signIn(known.consultant);
  const { page } = visit;
  await visit.open("/policies/new?kind=hold");
  await page.getByLabel("Name").fill("large-deals");
  await page.getByRole("button", { name: "Begin the policy" }).click();
  await page.waitForURL(/\/policies\/policy\/hold\/large-deals/);
  await page.getByRole("link", { name: "Preview and activate" }).click();
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith("/v1/preview") && one.status() === 200),
    page.getByRole("button", { name: "Preview the impact" }).click(),
  ]);
  const { coverage } = await answer.json();
  const [policy] = coverage.policies;
  assert.ok(policy.unreached.length > 0, JSON.stringify(coverage));
  await page.getByRole("heading", { name: "Lines that cases reach" }).waitFor();
  await page.getByText("policies/hold/large-deals.rhai").first().waitFor();
  await page.getByText(`${policy.covered} of ${policy.lines} lines`).waitFor();
  await page.getByText(/^No case reaches lines? /).waitFor();
  await visit.end();
});

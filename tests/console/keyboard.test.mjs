// The journeys of a seller, a manager, an administrator and a consultant with the keyboard alone: no mouse, no click.
// Each stop on the way must have a name, be in sight and be marked.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowser, people, Visit } from "./browser.mjs";
import { Keys } from "./keys.mjs";
import { screensOf } from "./screens.mjs";

let known;
before(async () => (known = await people()));
after(closeBrowser);

async function begin(person) {
  const visit = await Visit.begin();
  const keys = new Keys(visit);
  await keys.signIn(person);
  return { visit, keys, page: visit.page };
}

test("a seller finds a credit, reads why, and asks", async () => {
  const { visit, keys, page } = await begin(known.seller);
  const rows = (await visit.get("/v1/me/credits?limit=1000")).data;
  const credit = rows.find((row) => row.status === "active");

  await keys.open("link", "Credits");
  await keys.reach("My credits");
  await keys.to("searchbox", "Search in this table");
  await keys.type(credit.transaction);
  await keys.open("button", credit.transaction);
  await keys.reach(`Credit for ${credit.transaction}`);
  await page.getByText(/You were credited/).first().waitFor();

  const question = `Is the share right? ${Date.now()}`;
  await keys.open("link", "Ask about this credit");
  await keys.reach("New enquiry");
  await keys.fill("textbox", "Your question", question);
  await keys.open("button", "Send");
  await keys.reach(/^Enquiry \d+$/);
  await page.getByText(question).first().waitFor();
  const asked = (await visit.get("/v1/me/enquiries")).data.find((one) => one.text === question);
  assert.equal(asked.transaction, credit.transaction);

  // The link past the areas leads to the content, from where the next stop is in it.
  await visit.open("/me");
  await keys.next();
  await keys.open("link", "Skip to the content");
  assert.equal((await keys.focus()).role, "main");
  await keys.next();
  assert.ok(await page.evaluate(() => document.querySelector("main").contains(document.activeElement)));
  await visit.end();
});

test("a manager opens a person and what the team asked", async () => {
  const { visit, keys, page } = await begin(known.manager);
  await keys.open("link", "My team");
  await keys.reach("My team");
  await page.waitForFunction(() => !/still being loaded/.test(document.querySelector("main").innerText));

  // The rows are one stop; the arrow keys go from one to the next.
  const names = await page.locator("table[aria-rowcount] tbody tr[aria-rowindex] button").allInnerTexts();
  assert.ok(names.length >= 3, `${names}`);
  await keys.to("button", names[0]);
  await keys.press("ArrowDown");
  assert.equal((await keys.focus()).name, names[1]);
  await keys.press("End");
  assert.equal((await keys.focus()).name, names.at(-1));
  await keys.press("Home");
  assert.equal((await keys.focus()).name, names[0]);
  const behind = await keys.next();
  assert.ok(behind.role !== "button" || !names.includes(behind.name), "Tab leaves the table");
  await keys.open("button", names[0], { key: "Shift+Tab" });
  await keys.reach(new RegExp(`^${names[0]}, `));
  await keys.open("link", "Credits");
  await keys.reach(`Credits of ${names[0]}`);

  // The way back ends at the heading of the screen before.
  await page.goBack();
  await keys.reach(new RegExp(`^${names[0]}, `));
  await keys.go("enquiries of my people");
  await keys.reach("Enquiries of my people");
  await visit.end();
});

test("a manager reads the enquiry of a person, and an administrator answers it", async () => {
  const seller = await (await Visit.begin()).signIn(known.seller);
  const question = `Who gets this? ${Date.now()}`;
  const made = await seller.api("POST", "/v1/me/enquiries", { kind: "missing", text: question, transaction: "D-00007" });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await seller.end();
  const [name, answer] = [`No. ${made.body.id}`, `The owner of the deal, ${Date.now()}.`];

  const administrator = await begin(known.administrator);
  await administrator.keys.go("enquiries");
  await administrator.keys.reach("Enquiries");
  await administrator.keys.fill("searchbox", "Search in this table", question);
  await administrator.keys.open("button", String(made.body.id));
  await administrator.keys.reach(`Enquiry ${made.body.id}`);
  await administrator.keys.open("button", "Answer …");

  // A dialogue begins at its first field, and Escape gives the focus back to what opened it.
  assert.equal((await administrator.keys.focus()).role, "radio");
  await administrator.keys.press("Escape");
  assert.equal((await administrator.keys.focus()).name, "Answer …");
  await administrator.keys.press("Enter");
  await administrator.keys.fill("textbox", "Answer", answer);
  await administrator.keys.open("button", "Answer");
  await administrator.page.getByText("The enquiry is answered.").waitFor();
  await administrator.visit.end();

  const manager = await begin(known.manager);
  const isAbove = (await manager.visit.get("/v1/me/reports")).data.some((one) => one.payee === known.seller.participant);
  if (isAbove) {
    await manager.keys.go("enquiries of my people");
    await manager.keys.reach("Enquiries of my people");
    await manager.keys.fill("searchbox", "Search in this table", answer);
    await manager.keys.open("button", name);
    await manager.keys.reach(`Enquiry ${made.body.id}`);
    await manager.page.getByText(answer).first().waitFor();
  }
  await manager.visit.end();
});

test("an administrator releases a held credit and adjusts another", async () => {
  const { visit, keys, page } = await begin(known.administrator);
  const rows = (await visit.get("/v1/credits?limit=1000")).data;
  const one = rows.find((row) => row.status === "active" && row.origin === "calculated" && row.kind === "direct");
  const ofDeal = (await visit.get(`/v1/credits?transaction=${one.transaction}`)).data;
  const stateOf = async (id) => (await visit.get(`/v1/credits/${id}`)).status;

  await keys.go("credits administration");
  await keys.reach("Credits");
  await keys.fill("searchbox", "Search in this table", one.transaction);
  await page.getByText(new RegExp(`^${ofDeal.length} credits? of`)).waitFor();
  await keys.to("button", await page.locator("tbody tr[aria-rowindex] button").first().innerText());
  for (let at = ofDeal.findIndex((row) => row.id === one.id); at > 0; at -= 1) await keys.press("ArrowDown");
  await keys.press("Enter");
  await keys.reach("Credit");
  assert.ok(page.url().endsWith(one.id), `${page.url()} is another credit than ${one.id}`);

  await keys.open("button", "Hold");
  await keys.fill("textbox", "Comment", "To be released at once.");
  await keys.open("button", "Hold");
  await page.getByText("The credit is held.").waitFor();
  await page.getByRole("button", { name: "Release the hold" }).waitFor();
  assert.equal(await stateOf(one.id), "held");
  // What opened the dialogue has the focus again, with its new name.
  assert.equal((await keys.focus()).name, "Release the hold");
  await keys.press("Enter");
  await keys.open("button", "Release");
  await page.getByText("The hold is released.").waitFor();
  assert.equal(await stateOf(one.id), "active");

  await keys.open("button", "Adjust");
  await keys.fill("textbox", "Amount", "1.25");
  await keys.to("combobox", "Reason code");
  await keys.press("ArrowDown");
  await keys.fill("textbox", "Comment", "By the keyboard alone.");
  await keys.open("button", "Adjust");
  await page.getByText("The credit is adjusted.").waitFor();
  const after = await visit.get(`/v1/credits/${one.id}`);
  assert.match(after.amount, /^1\.250*$/);

  // A long list of rows that open is one stop as well.
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  await keys.go("audit trail");
  await keys.reach("Audit trail");
  await keys.to("summary", /adjusted|adjustment/i);
  await keys.press("ArrowDown");
  assert.equal((await keys.focus()).role, "summary");
  assert.notEqual((await keys.next())?.role, "summary");
  await page.goBack();
  await keys.reach("Credit");

  // It is as before.
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  await keys.open("button", "Adjust");
  await keys.choose("What to do", "End");
  await keys.open("button", "End the adjustment");
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  assert.equal((await visit.get(`/v1/credits/${one.id}`)).amount, one.amount);
  await visit.end();
});

test("a consultant changes a table, sees what it moves, activates it and goes back", async () => {
  const { visit, keys, page } = await begin(known.consultant);
  const rulesetOf = async () => (await visit.get("/v1/status")).ruleset;
  const before = await rulesetOf();

  await keys.go("all files");
  await keys.reach("All files");
  await keys.fill("searchbox", "Search in this table", "setup_fees");
  await keys.open("button", "tables/setup_fees.csv");
  await keys.reach("tables/setup_fees.csv");

  // The screen says how the editor is left, and that is the way out of it.
  await page.getByText("Press Escape, then Tab, to leave the editor.").first().waitFor();
  await keys.to("textbox", /setup_fees/);
  await keys.press("Control+a");
  await keys.press("Delete");
  await page.keyboard.insertText("product,fee\nGauge,510\nSensor,250\n*,100\n");
  await page.getByText(/1 file/).first().waitFor();
  await keys.press("Tab");
  assert.ok((await keys.focus()).isEditor, "Tab alone indents");
  await keys.press("Control+z");
  await keys.next();
  assert.ok(!(await keys.focus()).isEditor, "Escape and Tab leave the editor");

  await keys.open("link", "Preview and activate", { key: "Shift+Tab" });
  await keys.reach("Preview and activate");
  await keys.to("radio", /./);
  await keys.press("ArrowDown");
  await keys.open("button", "Preview the impact");
  await page.getByRole("region", { name: "Impact" }).waitFor({ timeout: 60_000 });
  await keys.fill("textbox", "Reason", "Gauges take longer, says the keyboard.");
  await keys.open("button", "Activate");
  await page.getByRole("dialog").getByRole("heading", { name: "Activate the draft" }).waitFor();
  await keys.open("button", "Activate");
  await page.waitForURL(/\/policies\/changes\/activation\//);
  await keys.reach(/^Activation \d+$/);
  assert.notEqual(await rulesetOf(), before);

  await keys.open("button", "Roll back");
  await keys.to("radio", /only new deals/);
  await keys.press("ArrowDown");
  await keys.fill("textbox", "Reason", "The fee rises next year.");
  await keys.open("button", "Roll back");
  await page.getByText(/in force again/).first().waitFor();
  assert.equal(await rulesetOf(), before);
  await visit.end();
});

for (const role of ["stranger", "seller", "manager", "administrator", "consultant"]) {
  test(`Tab goes through each screen of a ${role} and out again`, { timeout: 400_000 }, async (t) => {
    const visit = await Visit.begin();
    const keys = new Keys(visit);
    if (role === "stranger") await visit.open("/sign-in");
    else await visit.signIn(known[role]);
    for (const { path } of await screensOf(role, visit)) {
      await t.test(path, async () => {
        await visit.open(path);
        let stops = 0;
        let here = await keys.next();
        for (; here !== null; here = await keys.next()) {
          keys.check(here);
          assert.ok((stops += 1) < 150, `Tab comes to no end; it is at ${JSON.stringify(here)}`);
        }
        assert.ok(stops > 5, `${stops} stops`);
      });
    }
    await visit.end();
  });
}

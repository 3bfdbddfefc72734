// A seller and a manager look at pay: every amount on the screens is one that the API gives this person.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowser, people, Visit } from "./browser.mjs";

let known;
before(async () => (known = await people()));
after(closeBrowser);

/** All rows of a list. */
async function all(visit, path) {
  const rows = [];
  let cursor = "";
  do {
    const page = await visit.get(`${path}${path.includes("?") ? "&" : "?"}limit=1000${cursor && `&cursor=${cursor}`}`);
    rows.push(...page.data);
    cursor = page.next_cursor ?? "";
  } while (cursor);
  return rows;
}

/** A sum of decimal texts in cents, exactly. */
const cents = (amounts) => amounts.reduce((sum, amount) => sum + toCents(amount), 0n);
function toCents(amount) {
  const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount);
  assert.ok(fraction.length <= 2 || /^0*$/.test(fraction.slice(2)), `${amount} has parts of a cent`);
  const value = BigInt(whole) * 100n + BigInt(fraction.slice(0, 2).padEnd(2, "0"));
  return sign ? -value : value;
}

test("a seller sees this period, each credit and why", async () => {
  const visit = await (await Visit.begin()).signIn(known.seller);
  const { page } = visit;
  const credits = await all(visit, "/v1/me/credits");
  const rewards = await all(visit, "/v1/me/rewards");
  assert.ok(credits.length > 20 && rewards.length > 5, "the sample has little to show");

  // October is confirmed: what was earned in it is on the screen.
  await visit.open("/me?period=2026-10");
  const earned = cents(rewards.filter((row) => row.period === "2026-10").map((row) => row.amount));
  const shown = (await visit.amounts()).filter(Boolean).map(toCents);
  assert.ok(shown.includes(earned), `${earned} is not among ${shown}`);

  // The table has every credit, found by its deal.
  await visit.open("/me/credits");
  await page.getByText(new RegExp(`^${credits.length} credits?$`)).waitFor();
  const [one] = credits.filter((row) => row.status === "active");
  await page.getByRole("searchbox").fill(one.transaction);
  const fitting = credits.filter((row) => row.transaction === one.transaction);
  await page.getByText(new RegExp(`^${fitting.length} credits? of ${credits.length}$`)).waitFor();
  const amounts = await visit.amounts("main table tbody");
  assert.deepEqual(amounts.map(toCents).sort(), fitting.map((row) => toCents(row.amount)).sort());

  // One of them is explained in words.
  await visit.open(`/me/credits/${one.id}`);
  await page.getByText(/You were credited/).first().waitFor();
  assert.ok((await visit.amounts()).includes(one.amount), "the amount of the credit");
  await visit.end();
});

test("a seller asks about a credit and sees the answer of an administrator", async () => {
  const seller = await (await Visit.begin()).signIn(known.seller);
  const question = `Is this amount right? ${Date.now()}`;
  const [credit] = (await seller.get("/v1/me/credits?limit=1")).data;
  await seller.open(`/me/credits/${credit.id}`);
  await seller.page.getByRole("link", { name: /Ask about this credit/ }).or(seller.page.getByRole("button", { name: /Ask about this credit/ })).first().click();
  await seller.page.getByRole("textbox", { name: /question|text|message|wrong/i }).first().fill(question);
  await seller.page.getByRole("button", { name: /^(Send|Ask)/ }).first().click();
  await seller.page.getByText(question).first().waitFor();

  const admin = await (await Visit.begin()).signIn(known.administrator);
  const enquiry = (await admin.get("/v1/enquiries")).data.find((one) => one.text === question);
  assert.equal(enquiry.payee, known.seller.participant);
  await admin.open(`/admin/enquiries/${enquiry.id}`);
  await admin.page.getByText(question).first().waitFor();
  const answer = await admin.api("POST", `/v1/enquiries/${enquiry.id}/answer`, { state: "resolved", text: "It is right." });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));

  await seller.open(`/me/enquiries/${enquiry.id}`);
  await seller.page.getByText("It is right.").first().waitFor();
  await seller.end();
  await admin.end();
});

test("a seller learns what a deal would bring", async () => {
  const visit = await (await Visit.begin()).signIn(known.seller);
  const { page } = visit;
  await visit.open("/me/what-if");
  // What the plan looks at besides, such as the stage, is as in a deal before.
  const own = (await all(visit, "/v1/me/credits")).filter((row) => row.kind === "direct");
  await page.getByLabel("Like this earlier deal of mine").fill(own.at(-1).transaction);
  await page.getByLabel("Amount").first().fill("12000.00");
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith("/v1/me/what-if")),
    page.getByRole("button", { name: "Calculate" }).click(),
  ]);
  assert.equal(answer.status(), 200, await answer.text());
  const { credits, rewards } = await answer.json();
  assert.equal(credits[0].amount, "12000.00");
  assert.ok(rewards.length > 0, "the deal is paid");
  const shown = await page.waitForFunction(() => {
    const all = [...document.querySelectorAll("main .amount")].map((one) => one.dataset.amount);
    return all.length > 0 ? all : null;
  });
  const amounts = await shown.jsonValue();
  for (const line of rewards.filter((line) => !/^0(\.0*)?$/.test(line.difference))) assert.ok(amounts.includes(line.difference), `${line.difference} of ${amounts}`);
  await visit.end();
});

test("the statement adds up and can be printed", async () => {
  const visit = await (await Visit.begin()).signIn(known.seller);
  const statement = (await visit.get("/v1/me/statements")).data.find((one) => one.period === "2026-10");
  await visit.open(`/me/statements/${statement.plan}/${statement.period}`);
  const amounts = await visit.amounts();
  for (const total of statement.totals) assert.ok(amounts.includes(total.amount), `total ${total.amount}`);
  for (const reward of statement.rewards) assert.ok(amounts.includes(reward.amount), `reward ${reward.amount}`);

  await visit.page.emulateMedia({ media: "print" });
  assert.equal(await visit.page.getByRole("navigation").first().isVisible(), false, "the areas are printed");
  const pdf = await visit.page.pdf({ format: "A4" });
  assert.ok(pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 5_000);
  await visit.end();
});

test("a manager sees all who report to them, and nobody else", async () => {
  const visit = await (await Visit.begin()).signIn(known.manager);
  const { page } = visit;
  const reports = (await visit.get("/v1/me/reports")).data;
  assert.ok(reports.length >= 4, "the manager has few people");
  await visit.open("/team?period=2026-10");
  for (const report of reports) await page.getByText(report.name).first().waitFor();

  let sum = 0n;
  for (const report of reports) {
    const rows = await all(visit, `/v1/me/reports/${report.payee}/rewards?period=2026-10`);
    sum += cents(rows.map((row) => row.amount));
  }
  const shown = (await visit.amounts()).filter(Boolean).map(toCents);
  assert.ok(shown.includes(sum), `the team's ${sum} is not among ${shown}`);

  await page.getByRole("link", { name: reports[0].name }).first().click();
  await page.waitForURL(new RegExp(`/team/${reports[0].payee}`));
  await visit.settle();
  // The vice president reports to nobody here.
  await visit.open("/team/P01");
  await page.getByText(/not|no such/i).first().waitFor();
  await visit.context.close();
});

test("a link to one credit asks for that credit alone", async () => {
  const visit = await (await Visit.begin()).signIn(known.seller);
  const [credit] = (await visit.get("/v1/me/credits?limit=1")).data;
  // What the first screen still asks for is over.
  await visit.open("/play");
  const asked = [];
  visit.page.on("request", (request) => asked.push(new URL(request.url()).pathname + new URL(request.url()).search));
  await visit.open(`/me/credits/${credit.id}`);
  await visit.page.getByText(/You were credited/).first().waitFor();
  assert.ok(asked.includes(`/v1/me/credits/${credit.id}`), `${asked}`);
  assert.ok(!asked.some((path) => path.startsWith("/v1/me/credits?")), `a list was read for one credit: ${asked}`);
  await visit.end();
});

test("credits and rewards are given as a spreadsheet", async () => {
  const visit = await (await Visit.begin()).signIn(known.seller);
  for (const list of ["credits", "rewards"]) {
    await visit.open(`/me/${list}?period=2026-10`);
    const [file] = await Promise.all([visit.page.waitForEvent("download"), visit.page.getByRole("button", { name: "XLSX" }).click()]);
    assert.equal(file.suggestedFilename(), `${list}.xlsx`);
    const chunks = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    assert.ok(bytes.length > 1_000 && bytes.subarray(0, 2).toString() === "PK", `${bytes.length} bytes`);
  }
  await visit.end();
});

test("the period of today is that of the server's calendar, whatever the clock of the browser says", async () => {
  const visit = await (await Visit.begin()).signIn(known.seller);
  const today = (await visit.get("/v1/me")).business_date;
  const periods = (await visit.get("/v1/me/periods")).data;
  const holds = periods.filter((one) => one.first <= today && (one.last ?? "9999") >= today);
  assert.ok(holds.length > 0, `no period has ${today}`);

  // A clock that is two years behind would show the oldest period, or none.
  const past = new Date(`${today}T12:00:00Z`);
  past.setUTCFullYear(past.getUTCFullYear() - 2);
  await visit.page.clock.setFixedTime(past);
  await visit.open("/me");
  const left = Math.round((Date.parse(`${holds[0].last}T00:00:00Z`) - Date.parse(`${today}T00:00:00Z`)) / 86_400_000);
  const text = await visit.page.locator("main").innerText();
  if (holds[0].plans.length > 0) assert.match(text, new RegExp(`\\b${left} days? left`));
  else assert.match(text, /so this is the newest period with a statement/);
  await visit.end();
});

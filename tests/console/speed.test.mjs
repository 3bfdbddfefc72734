// How soon something is on the screen, how much is sent for it, and a table of 10,000 rows. The figures are printed and
// written to the file that ACCREDIT_FIGURES names; the bounds are wide, since other programs may run beside this.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { closeBrowser, people, url, Visit } from "./browser.mjs";

const LOADS = 5;
const PAINT_MOST_MS = 5_000;
const SENT_MOST = 200_000;
const ROWS = 10_000;
const LONG_TASK_MOST_MS = 1_000;

const figures = {};
let known;
before(async () => (known = await people()));
after(async () => {
  await closeBrowser();
  const path = process.env.ACCREDIT_FIGURES;
  if (!path) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(figures, null, 2)}\n`);
});

const median = (values) => values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)];

/** One load of an address by a browser that has nothing of it yet. */
async function loadFresh(person, path) {
  const visit = await Visit.begin();
  if (person) {
    const signedIn = await visit.api("POST", "/v1/session", { email: person.email, password: person.password });
    assert.equal(signedIn.status, 200, JSON.stringify(signedIn.body));
  }
  await visit.open(path);
  const seen = await visit.page.evaluate(() => ({
    ready: performance.now(),
    paint: performance.getEntriesByType("paint").find((one) => one.name === "first-contentful-paint")?.startTime,
    sent: performance.getEntriesByType("resource").filter((one) => /\/assets\//.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, 0),
  }));
  await visit.end();
  return seen;
}

const SCREENS = [
  [null, "/sign-in"], ["seller", "/me"], ["manager", "/team"], ["administrator", "/admin"], ["consultant", "/policies"], [null, "/play"],
];
for (const [role, path] of SCREENS) {
  test(`${path} is painted soon, and little is sent for it`, { timeout: 120_000 }, async () => {
    const loads = [];
    for (let count = 0; count < LOADS; count += 1) loads.push(await loadFresh(role && known[role], path));
    assert.ok(loads.every((one) => one.paint > 0), "the browser reports no first paint");

    const of = (key) => Math.round(median(loads.map((one) => one[key])));
    figures[path] = { first_paint_ms: of("paint"), complete_ms: of("ready"), sent_bytes: of("sent") };
    console.log(`${path}: first paint ${of("paint")} ms, complete ${of("ready")} ms, ${of("sent")} bytes of program; medians of ${LOADS} fresh loads`);
    assert.ok(of("paint") < PAINT_MOST_MS, `the first paint of ${path} is after ${of("paint")} ms`);
    assert.ok(of("sent") > 10_000 && of("sent") < SENT_MOST, `${of("sent")} bytes are sent for ${path}`);
  });
}

test("a table of 10,000 rows draws few of them and scrolls smoothly", { timeout: 120_000 }, async () => {
  const visit = await (await Visit.begin()).signIn(known.administrator);
  const { page } = visit;

  // The answers of the server with as many rows as a screen loads: copies of one of its own.
  const [one] = (await visit.get("/v1/credits?limit=1")).data;
  const credit = (at) => ({ ...one, id: `crd_${String(at).padStart(32, "0")}`, transaction: `T-${String(at).padStart(5, "0")}`, amount: `${at}.25` });
  await page.route(/\/v1\/credits\?/, async (route) => {
    const begin = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
    const end = Math.min(begin + 1_000, ROWS);
    const data = Array.from({ length: end - begin }, (_, at) => credit(begin + at + 1));
    await route.fulfill({ json: { data, next_cursor: end < ROWS ? String(end) : null } });
  });
  await visit.open("/admin/credits");
  const table = page.getByRole("table");
  await page.waitForFunction((rows) => document.querySelector("table")?.getAttribute("aria-rowcount") === String(rows + 1), ROWS);

  await page.evaluate(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
  });
  const most = await page.evaluate(async () => {
    const frame = document.querySelector("table").parentElement;
    const frames = (count) => new Promise((then) => { const step = () => (count-- > 0 ? requestAnimationFrame(step) : then()); step(); });
    let drawn = 0;
    // Slowly at first, then in leaps to the end.
    for (const step of [...Array(120).fill(300), ...Array(60).fill(6_000)]) {
      frame.scrollBy({ top: step });
      await frames(1);
      drawn = Math.max(drawn, document.querySelectorAll("tbody tr").length);
    }
    frame.scrollTo({ top: frame.scrollHeight });
    await frames(3);
    return drawn;
  });
  await table.getByText(`T-${ROWS}`).waitFor();
  assert.ok(most > 10 && most < 60, `${most} rows are drawn at once`);

  // A search looks at all rows, with every letter.
  await page.getByRole("searchbox", { name: "Search in this table" }).fill("t-0999");
  await page.getByText(/^10 credits of/).waitFor();
  const longest = Math.round(Math.max(0, ...(await page.evaluate(() => window.longTasks))));
  figures.table = { rows: ROWS, drawn_most: most, longest_task_ms: longest };
  console.log(`10,000 rows: ${most} drawn at most, the longest task took ${longest} ms`);
  assert.ok(longest < LONG_TASK_MOST_MS, `a task took ${longest} ms`);
  await visit.end();
});

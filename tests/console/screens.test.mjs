// Every screen, at the desk and on a phone, light and dark: it loads, axe finds nothing serious, nothing is
// wider than a phone, and no other host is asked. A picture of each lands in the folder of screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowser, people, url, Visit, WIDTHS } from "./browser.mjs";
import { screensOf } from "./screens.mjs";

let known;
before(async () => (known = await people()));
after(closeBrowser);

for (const role of ["stranger", "seller", "manager", "administrator", "consultant"]) {
  test(`screens of a ${role}`, { timeout: 400_000 }, async (t) => {
    const visit = await Visit.begin();
    if (role === "stranger") await visit.open("/sign-in");
    else await visit.signIn(known[role]);
    for (const { name, path } of await screensOf(role, visit)) {
      await t.test(path, async () => {
        for (const theme of ["light", "dark"]) {
          await visit.theme(theme);
          for (const [width, size] of Object.entries(WIDTHS)) {
            await visit.page.setViewportSize(size);
            await visit.open(path);
            await visit.screenshot(`${role}-${name}-${width}-${theme}`);
            const problem = visit.page.locator("main [role=alert]");
            assert.equal(await problem.count(), 0, `${path}: ${await problem.allInnerTexts()}`);
            const wide = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(wide <= 1, `${path} is ${wide} px wider than the ${width}`);
            // US$55,547.2 with a 0 in the next line is read as another amount.
            const broken = await visit.page.evaluate(() => [...document.querySelectorAll(".amount")].filter((one) => one.getClientRects().length > 1).map((one) => one.textContent));
            assert.deepEqual(broken, [], `amounts in two lines on ${path}`);
            // What axe finds depends on the theme and hardly on the width.
            if (width === "desk") assert.deepEqual(await visit.axe(), [], `${path} in ${theme}`);
          }
        }
      });
    }
    await visit.page.setViewportSize(WIDTHS.desk);
    await visit.end();
  });
}

test("the first load is below 200 kB, compressed", async () => {
  const page = await (await fetch(`${url}/`)).text();
  const paths = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]);
  assert.ok(paths.length >= 3, page);
  let bytes = 0;
  for (const path of ["/", ...paths]) {
    const answer = await fetch(url + path, { headers: { "accept-encoding": "gzip" } });
    assert.equal(answer.status, 200, path);
    bytes += Number(answer.headers.get("content-length"));
  }
  assert.ok(bytes > 10_000 && bytes < 200_000, `${bytes} bytes`);
});

test("no file of the console names another host", async () => {
  const page = await (await fetch(`${url}/`)).text();
  const waiting = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
  const seen = new Set();
  // Names of standards and in samples of messages, and pages that an error names: nothing that is asked.
  const harmless = /^https?:\/\/(www\.w3\.org|json-schema\.org|schemas\.microsoft\.com|svelte\.dev\/e\/|127\.0\.0\.1|localhost|example\.)/;
  while (waiting.length > 0) {
    const path = waiting.pop();
    if (seen.has(path)) continue;
    seen.add(path);
    const text = await (await fetch(url + path)).text();
    for (const [address] of text.matchAll(/https?:\/\/[a-z0-9.-]+[^\s"'`)\\]*/gi)) assert.match(address, harmless, path);
    for (const [, name] of text.matchAll(/["'`](?:\.\/|assets\/|\/assets\/)([\w.-]+\.(?:js|css))["'`]/g)) waiting.push(`/assets/${name}`);
  }
  assert.ok(seen.size > 10, `${seen.size} files`);
});

test("the page says what to do while the server is away", async () => {
  const visit = await Visit.begin();
  await visit.page.route("**/v1/**", (route) => route.abort());
  await visit.page.goto(`${url}/`);
  await visit.page.getByRole("heading", { name: "The server does not answer" }).waitFor();
  await visit.page.unroute("**/v1/**");
  await visit.page.getByRole("button", { name: "Try again" }).click();
  await visit.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await visit.context.close();
});

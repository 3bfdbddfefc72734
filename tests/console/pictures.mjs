// The pictures of the README: four screens of the sample company, at the desk.

import { closeBrowser, people, Visit } from "./browser.mjs";

const known = await people();
const pictures = [
  ["my-pay", known.seller, "/me?period=2026-10"],
  ["administration", known.administrator, "/admin/periods/2026-11/account-executives"],
  ["activation", known.consultant, "/policies/activate", preview],
  ["playground", known.consultant, "/play", (page) => page.getByRole("button", { name: /^Run/ }).first().click()],
];

/** A higher fee in the draft, and what it would move. */
async function preview(page, visit) {
  await visit.open("/policies/plans/account-executives");
  const editor = page.getByRole("textbox", { name: /Text of the plan/ }).first();
  await editor.focus();
  await page.keyboard.press("Control+a");
  const text = await visit.getText("/v1/definitions/plans/account-executives.toml");
  await page.keyboard.insertText(text.replace('rate = "6%"', 'rate = "7%"'));
  await visit.page.waitForTimeout(1500);
  await page.getByRole("link", { name: /Activate|Preview/ }).last().click();
  await page.getByRole("button", { name: "Preview the impact" }).click();
  await page.getByRole("region", { name: "Impact" }).waitFor({ timeout: 60_000 });
  // Below the head of the page, which stays in sight.
  await page.getByRole("heading", { name: /Impact/ }).evaluate((heading) => {
    heading.scrollIntoView({ block: "start" });
    scrollBy(0, -80);
  });
}

for (const [name, person, path, prepare] of pictures) {
  const visit = await (await Visit.begin({ viewport: { width: 1280, height: 860 } })).signIn(person);
  await visit.open(path);
  if (prepare) await prepare(visit.page, visit);
  // Charts draw once their part of the program is there.
  await visit.page.waitForTimeout(2500);
  await visit.screenshot(name);
  await visit.context.close();
}
await closeBrowser();

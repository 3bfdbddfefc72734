// A library that came in without a look at its licence.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { thirdPartyText } from "./make-third-party.mjs";

const ALLOWED = ["MIT", "ISC", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause"];

test("the list is that of the lock file, and every licence is an allowed one", () => {
  const kept = readFileSync(new URL("THIRD-PARTY.md", import.meta.url), "utf8");
  expect(kept === thirdPartyText(), "THIRD-PARTY.md is old: npm run third-party").toBe(true);
  const licences = [...kept.matchAll(/^\| \S+ \| \S+ \| (.+) \|$/gm)].map((match) => match[1]).filter((one) => one !== "licence");
  expect(licences.length).toBeGreaterThan(8);
  for (const licence of licences) expect(ALLOWED).toContain(licence);
});

// The console would show fields that the server no longer sends, and miss new ones.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { apiTypes } from "./make-types.mjs";

test("the types are those of the API's document; `npm run types` writes them anew", async () => {
  const kept = readFileSync(new URL("src/lib/api-types.ts", import.meta.url), "utf8");
  expect(kept === (await apiTypes()), "src/lib/api-types.ts is old: npm run types").toBe(true);
});

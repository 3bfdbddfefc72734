// Reads the credits of a server page by page, with types that were made from its OpenAPI document.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Credit = components["schemas"]["PostedCredit"];

const client = createClient<paths>({
  baseUrl: process.env.ACCREDIT_URL,
  headers: { Authorization: `Bearer ${process.env.ACCREDIT_TOKEN}` },
});

async function allCredits(payee: string): Promise<Credit[]> {
  const found: Credit[] = [];
  let cursor: string | undefined;
  do {
    const { data, error } = await client.GET("/v1/credits", { params: { query: { payee, limit: 7, cursor } } });
    if (error) throw new Error(`${error.type}: ${error.detail}`);
    // Only an answer to `Accept: text/csv` is text.
    if (typeof data === "string") throw new Error("expected JSON");
    found.push(...data.data);
    cursor = data.next_cursor ?? undefined;
  } while (cursor);
  return found;
}

const credits = await allCredits("ann");
const wrong = await client.GET("/v1/credits/{id}", { params: { path: { id: "none" } } });
if (credits.length < 8 || wrong.error?.type !== "/problems/not_found") {
  throw new Error(`${credits.length} credits, ${JSON.stringify(wrong.error)}`);
}
console.log(`TypeScript: ${credits.length} credits, the first of ${credits[0]?.amount} ${credits[0]?.unit_type}`);

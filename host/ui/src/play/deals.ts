// The deal that is tried: as JSON in the editor, read with its amounts as they are written.

import { get, type Page, type Schemas } from "../lib/api";

/** Columns and their values. A number stays a number of JSON; text is the way to write an exact amount. */
export type Deal = Record<string, unknown>;

/** The deal of a text, or what is wrong with the text, in a sentence. */
export function readDeal(text: string): { deal: Deal } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `The deal is not JSON: ${error instanceof Error ? error.message : String(error)}. Write {"column": value, …}.` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { problem: 'The deal must be one object, such as {"deal": "D-1", "amount": "1000.00"}.' };
  if (Object.keys(value).length === 0) return { problem: "The deal has no columns. Add the columns that a source delivers." };
  return { deal: value as Deal };
}

export const writeDeal = (deal: Deal): string => `${JSON.stringify(deal, null, 2)}\n`;

/** The newest recorded deals, or the one with this id. */
export async function findDeals(id: string, signal?: AbortSignal): Promise<Schemas["DealRow"][]> {
  const page = await get<Page<Schemas["DealRow"]>>("/v1/transactions", { id, limit: 20 }, signal);
  return page.data;
}

/** The columns of a recorded deal as it was delivered. */
export async function columnsOf(id: string): Promise<Deal> {
  const recorded = await get<Schemas["RecordedTransaction"]>(`/v1/transactions/${encodeURIComponent(id)}`);
  return recorded.columns as Deal;
}

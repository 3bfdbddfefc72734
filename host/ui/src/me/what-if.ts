// A deal that is not closed yet: its address, its request, and its answer in words.

import { isNegative, isZero } from "../lib/amounts";
import { formatAmount } from "../lib/format";
import { typedAmount } from "./enquiry";
import type { RewardChange, WhatIfAnswer, WhatIfRequest } from "./bodies";

/** Keys of the address that are no cell of the deal. */
const OWN_KEYS = ["amount", "date", "plan", "like"];
/** Before the name of a cell. */
const CELL = "with.";

export type ImaginedDeal = { amount: string; date: string; plan: string; like: string; cells: { name: string; value: string }[] };

/** The deal that an address names. */
export function dealOf(query: URLSearchParams): ImaginedDeal {
  const [amount, date, plan, like] = OWN_KEYS.map((key) => query.get(key) ?? "") as [string, string, string, string];
  const cells = [...query].filter(([key]) => key.startsWith(CELL)).map(([key, value]) => ({ name: key.slice(CELL.length), value }));
  return { amount, date, plan, like, cells };
}

/** The address of a deal. */
export function queryOf(deal: ImaginedDeal): Record<string, string> {
  const query: Record<string, string> = { amount: typedAmount(deal.amount) ?? deal.amount.trim() };
  if (deal.date) query.date = deal.date;
  if (deal.plan) query.plan = deal.plan;
  if (deal.like.trim()) query.like = deal.like.trim();
  for (const { name, value } of deal.cells) {
    if (name.trim() && value.trim()) query[CELL + name.trim()] = value.trim();
  }
  return query;
}

/** The request for a deal; null while its amount is none. */
export function requestOf(deal: ImaginedDeal): WhatIfRequest | null {
  const amount = typedAmount(deal.amount);
  if (amount === null) return null;
  const request: WhatIfRequest = { amount };
  if (deal.plan) request.plan = deal.plan;
  if (deal.date) request.date = deal.date;
  if (deal.like) request.like = deal.like;
  if (deal.cells.length > 0) request.columns = Object.fromEntries(deal.cells.map(({ name, value }) => [name, value]));
  return request;
}

/** What the deal would bring, in a sentence. */
export function headline(answer: WhatIfAnswer): string {
  const moved = answer.total.filter((sum) => !isZero(sum.difference));
  if (moved.length > 0) {
    const amounts = moved.map((sum) => formatAmount(sum.difference, sum.unit_type)).join(" and ");
    return moved.every((sum) => isNegative(sum.difference)) ? `This deal would change your pay by ${amounts}.` : `This deal would bring you ${amounts}.`;
  }
  if (answer.credits.length > 0) return "This deal would be credited to you, and your pay would stay as it is.";
  return "This deal would bring you nothing.";
}

/** How the tier moves, in a sentence; empty without tiers. Tiers are counted from 1 for people. */
export function tierMove(change: RewardChange): string {
  const { tier_before: before, tier_after: after } = change;
  if (after === null) return "";
  if (before === null || before === after) return `You stay in tier ${after + 1}.`;
  return `You come from tier ${before + 1} to tier ${after + 1}.`;
}

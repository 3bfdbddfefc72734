// Which held credits a bulk release takes: the same filters as the server's.

import type { Schemas } from "../../lib/api";

export type HoldFilter = Partial<Record<"plan" | "period" | "payee" | "position" | "credit_type" | "reason_code" | "transaction", string>>;
type Held = Pick<Schemas["PostedCredit"], "plan" | "period" | "payee" | "position" | "credit_type" | "reason_code" | "transaction">;

/** Filters that have a value. */
export const givenFilters = (filter: HoldFilter): HoldFilter =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined && value !== ""));

/** The credits that fit. A longer period stands for its months, which `monthsOf` lists. */
export function fitting<C extends Held>(credits: C[], filter: HoldFilter, monthsOf: (period: string) => string[]): C[] {
  const given = givenFilters(filter);
  const periods = given.period ? new Set([given.period, ...monthsOf(given.period)]) : null;
  return credits.filter((credit) =>
    Object.entries(given).every(([key, value]) =>
      key === "period" ? periods?.has(credit.period) : credit[key as keyof Held]?.toLowerCase() === value?.toLowerCase(),
    ),
  );
}

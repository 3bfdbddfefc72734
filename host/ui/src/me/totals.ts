// Sums of a payee's credits and rewards, unit by unit. Exact: amounts are added as decimal text.

import type { Schemas } from "../lib/api";
import { addAmounts, isZero, sumAmounts } from "../lib/amounts";

export type OwnCredit = Schemas["OwnCredit"];
export type OwnReward = Schemas["OwnReward"];

/** An amount in a unit. */
export type UnitSum = { unit: string; amount: string };

/** The sum of amounts in each unit, in the order of the units. */
export function sumsByUnit(rows: Iterable<{ unit: string; amount: string }>): UnitSum[] {
  const sums = new Map<string, string>();
  for (const { unit, amount } of rows) sums.set(unit, addAmounts(sums.get(unit) ?? "0", amount));
  return [...sums].map(([unit, amount]) => ({ unit, amount })).toSorted((left, right) => left.unit.localeCompare(right.unit));
}

const ofRow = (row: { amount: string; unit_type: string }) => ({ unit: row.unit_type, amount: row.amount });

/** Only credits that are active count; held, suppressed and void ones do not. */
export const counts = (credit: Pick<OwnCredit, "status">): boolean => credit.status === "active";

/** What a period's tiles say. */
export type PeriodTotals = {
  credited: UnitSum[];
  /** Of what is credited: on statements whose amounts may still change. */
  pending: UnitSum[];
  /** Of what is credited: on statements whose amounts are certain. */
  confirmed: UnitSum[];
  held: UnitSum[];
  heldCount: number;
  /** The first day on which a hold ends; null if no hold has a date. */
  heldUntil: string | null;
  /** How many holds have no date. */
  heldWithoutDate: number;
  /** What rewards come to, before draws and amounts that are carried. */
  earned: UnitSum[];
  /** The same with draws and amounts that are carried: what is paid. */
  paid: UnitSum[];
  /** Whether the amounts of every reward are certain. */
  isPaidCertain: boolean;
};

/** A draw and what is carried change when money is paid, and not what is earned. */
export const isEarned = (reward: Pick<OwnReward, "origin">): boolean => reward.origin !== "draw" && reward.origin !== "carried";

export function periodTotals(credits: OwnCredit[], rewards: OwnReward[]): PeriodTotals {
  const active = credits.filter(counts);
  const held = credits.filter((credit) => credit.status === "held");
  const dates = held.flatMap((credit) => credit.release_date ?? []).toSorted();

  return {
    credited: sumsByUnit(active.map(ofRow)),
    pending: sumsByUnit(active.filter((credit) => !credit.confirmed).map(ofRow)),
    confirmed: sumsByUnit(active.filter((credit) => credit.confirmed).map(ofRow)),
    held: sumsByUnit(held.map(ofRow)),
    heldCount: held.length,
    heldUntil: dates[0] ?? null,
    heldWithoutDate: held.length - dates.length,
    earned: sumsByUnit(rewards.filter(isEarned).map(ofRow)),
    paid: sumsByUnit(rewards.map(ofRow)),
    isPaidCertain: rewards.length > 0 && rewards.every((reward) => reward.confirmed),
  };
}

/** The sum of a unit; zero where nothing is in it. */
export const inUnit = (sums: UnitSum[], unit: string): string => sums.find((sum) => sum.unit === unit)?.amount ?? "0";

/** Whether nothing is left of it in any unit. */
export const isNothing = (sums: UnitSum[]): boolean => sums.every((sum) => isZero(sum.amount));

/** Amounts of one unit in each period, in the order of `periods`. */
export function byPeriod(rows: { period: string; amount: string; unit_type: string }[], periods: string[], unit: string): string[] {
  return periods.map((period) =>
    sumAmounts(rows.filter((row) => row.period === period && row.unit_type === unit).map((row) => row.amount)),
  );
}

/** Units of rows, the most frequent first. */
export function unitsOf(rows: { unit_type: string }[]): string[] {
  const seen = new Map<string, number>();
  for (const row of rows) seen.set(row.unit_type, (seen.get(row.unit_type) ?? 0) + 1);
  return [...seen].toSorted((left, right) => right[1] - left[1]).map(([unit]) => unit);
}

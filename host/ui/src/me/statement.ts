// A statement as it is printed: what counts, what does not yet, and whether the sums add up.

import type { Schemas } from "../lib/api";
import { compareAmounts } from "../lib/amounts";
import { counts, inUnit, isEarned, sumsByUnit, type UnitSum } from "./totals";

export type Statement = Schemas["Statement"];
export type StatementCredit = Schemas["PayeeCredit"];

/** Credits of one type and unit that count, with their sum. */
export type CreditGroup = { creditType: string; unit: string; credits: StatementCredit[]; sum: string; agrees: boolean };

export type PrintedStatement = {
  groups: CreditGroup[];
  /** Held, suppressed and void credits, which are in no sum. */
  others: StatementCredit[];
  earned: UnitSum[];
  /** What is paid by draws and amounts that are carried; negative where it is recovered. */
  advances: UnitSum[];
  paid: UnitSum[];
  /** Whether each sum here is the one of the server. */
  agrees: boolean;
};

const byDay = (left: StatementCredit, right: StatementCredit) =>
  left.incentive_date.localeCompare(right.incentive_date) || left.transaction.localeCompare(right.transaction, undefined, { numeric: true });

const sums = (rows: { unit_type: string; amount: string }[]): UnitSum[] =>
  sumsByUnit(rows.map((row) => ({ unit: row.unit_type, amount: row.amount })));

export function printedStatement(statement: Statement): PrintedStatement {
  const found = new Map<string, CreditGroup>();
  for (const credit of statement.credits.filter(counts).toSorted(byDay)) {
    const key = `${credit.credit_type}\n${credit.unit_type}`;
    const group = found.get(key) ?? { creditType: credit.credit_type, unit: credit.unit_type, credits: [], sum: "0", agrees: false };
    group.credits.push(credit);
    found.set(key, group);
  }

  const groups = [...found.values()].map((group) => {
    const sum = inUnit(sums(group.credits), group.unit);
    const total = statement.totals.find((one) => one.credit_type === group.creditType && one.unit_type === group.unit);
    return { ...group, sum, agrees: total !== undefined && compareAmounts(total.amount, sum) === 0 };
  });

  return {
    groups,
    others: statement.credits.filter((credit) => !counts(credit)).toSorted(byDay),
    earned: sums(statement.rewards.filter(isEarned)),
    advances: sums(statement.rewards.filter((reward) => !isEarned(reward))),
    paid: sums(statement.rewards),
    agrees: groups.every((group) => group.agrees) && statement.totals.length === groups.length,
  };
}

const ORIGINS: Record<string, string> = {
  calculated: "Calculated", draw: "Draw", carried: "Carried from or to another period", retro: "Correction", manual: "Added by hand",
};

/** Why a reward is there, in a word or two. */
export const rewardOrigin = (origin: string): string => ORIGINS[origin] ?? origin;

/** The same in a sentence that says what it means. */
export function rewardStory(reward: Pick<Schemas["EarnedReward"], "origin" | "amount">): string {
  const isBack = reward.amount.startsWith("-");
  switch (reward.origin) {
    case "draw":
      return isBack ? "An earlier draw is recovered." : "The draw fills up what was earned.";
    case "carried":
      return isBack ? "An amount below zero of an earlier period is recovered." : "An amount below zero is carried to later periods.";
    case "retro":
      return "A finalized period would be different now. This is the difference.";
    case "manual":
      return "A person added this amount.";
    default:
      return "The rules of the plan came to this amount.";
  }
}

// How far a payee is: rewards with their quota, the tier that is reached, and what is missing to the next.

import type { Schemas } from "../lib/api";
import { chartNumber, isZero, share } from "../lib/amounts";
import { formatAmount, humanize } from "../lib/format";
import type { NextTier, TierProgress, TierRange } from "./bodies";

/** A reward of a period with what it asks for. */
export type Goal = {
  key: string;
  plan: string;
  planName: string;
  period: string;
  reward: string;
  team: string | null;
  creditType: string;
  credited: string;
  creditedUnit: string;
  quota: string | null;
  attainment: string | null;
  amount: string;
  unit: string;
  confirmed: boolean;
  isRetroactive: boolean;
  /** `quarter` or `year` where credits are summed since its beginning. */
  toDate: string | null;
  hasMaximum: boolean;
  tiers: TierRange[];
  tier: number | null;
  next: NextTier | null;
};

type RewardRow = Schemas["OwnReward"];
type Named = Pick<RewardRow, "plan" | "period" | "reward" | "team" | "credited_unit_type">;

const keyOf = (row: Named): string => [row.plan, row.period, row.reward, row.team ?? "", row.credited_unit_type].join("\n");

function common(row: RewardRow | TierProgress): Omit<Goal, "planName" | "isRetroactive" | "toDate" | "hasMaximum" | "tiers" | "tier" | "next"> {
  return {
    key: keyOf(row), plan: row.plan, period: row.period, reward: row.reward, team: row.team, creditType: row.credit_type,
    credited: row.credited, creditedUnit: row.credited_unit_type, quota: row.quota, attainment: row.attainment,
    amount: row.amount, unit: row.unit_type, confirmed: row.confirmed,
  };
}

/** The goals behind rewards: those with tiers from `progress`, the others from the rewards themselves. */
export function goalsOf(progress: TierProgress[], rewards: RewardRow[]): Goal[] {
  const withTiers = progress.map((row): Goal => ({
    ...common(row), planName: row.plan_name, isRetroactive: row.kind === "retroactive", toDate: row.to_date,
    hasMaximum: row.has_maximum, tiers: row.tiers, tier: row.tier, next: row.next_tier,
  }));
  const known = new Set(withTiers.map((goal) => goal.key));
  const planNames = new Map(progress.map((row) => [row.plan, row.plan_name]));
  const others = rewards
    .filter((row) => row.origin === "calculated" && !known.has(keyOf(row)))
    .map((row): Goal => ({
      ...common(row), planName: planNames.get(row.plan) ?? humanize(row.plan), isRetroactive: false, toDate: null,
      hasMaximum: false, tiers: [], tier: null, next: null,
    }));
  return [...withTiers, ...others];
}

/** What the whole of a goal's bar is: the quota, or the last limit of the tiers; null without both. */
function wholeOf(goal: Goal): string | null {
  if (goal.quota !== null && !isZero(goal.quota)) return goal.quota;
  const last = goal.tiers.at(-1);
  const limit = last?.up_to ?? last?.from;
  return limit && !isZero(limit) ? limit : null;
}

export type GoalBar = { percent: number; marks: { percent: number; label: string }[] };

/** The bar of a goal, with a mark where each tier begins; null where there is nothing to reach. */
export function barOf(goal: Goal): GoalBar | null {
  const whole = wholeOf(goal);
  if (whole === null) return null;
  const begins = goal.tiers.slice(1).map((tier, at) => ({
    percent: share(tier.from, whole),
    label: `Tier ${at + 2} begins above ${formatAmount(tier.from, goal.creditedUnit)}`,
  }));
  return { percent: share(goal.credited, whole), marks: begins };
}

/** A share such as `0.0125` in percent with all its digits. */
export function percentText(part: string): string {
  const exact = part as unknown as number; // Intl writes decimal text exactly.
  return new Intl.NumberFormat(globalThis.navigator?.language || "en", { style: "percent", maximumFractionDigits: 6 }).format(exact);
}

/** What a tier pays: a share where credits and pay are of one unit, else pay for each unit. */
export function rateText(rate: string, goal: Pick<Goal, "unit" | "creditedUnit">): string {
  if (goal.unit === goal.creditedUnit) return percentText(rate);
  return `${formatAmount(rate, goal.unit)} per unit of ${goal.creditedUnit}`;
}

/** Where a payee is in the tiers, in a sentence; empty without tiers. */
export function tierText(goal: Goal): string {
  if (goal.tier === null) return "";
  const tier = goal.tiers[goal.tier];
  if (!tier) return "";
  const rate = rateText(tier.rate, goal);
  if (goal.tiers.length === 1) return `One rate for all of it: ${rate}.`;

  const place = `Tier ${goal.tier + 1} of ${goal.tiers.length}`;
  if (goal.isRetroactive) return `${place}: ${rate} of everything.`;
  const isFirst = isZero(tier.from);
  return isFirst ? `${place}: ${rate}.` : `${place}: ${rate} of what is above ${formatAmount(tier.from, goal.creditedUnit)}.`;
}

/** What is missing to the next tier, in a sentence. */
export function nextText(goal: Goal): string {
  if (goal.next) {
    const missing = formatAmount(goal.next.missing, goal.creditedUnit);
    return `${missing} more takes you to the tier of ${rateText(goal.next.rate, goal)}.`;
  }
  return goal.tiers.length > 1 ? "This is the highest tier." : "";
}

/** Goals with one name over the periods, for a chart. */
export type GoalHistory = { name: string; unit: string; credited: (string | null)[]; quota: (string | null)[] };

/** Credited and quota of each reward with a quota, period by period. */
export function goalHistories(goals: Goal[], periods: string[]): GoalHistory[] {
  const groups = new Map<string, Goal[]>();
  for (const goal of goals.filter((one) => one.quota !== null)) {
    const key = [goal.plan, goal.reward, goal.team ?? "", goal.creditedUnit].join("\n");
    groups.set(key, [...(groups.get(key) ?? []), goal]);
  }
  return [...groups.values()].map((group) => {
    const first = group[0]!;
    const of = (period: string) => group.find((goal) => goal.period === period);
    return {
      name: [first.planName, first.reward, first.team].filter(Boolean).join(", "),
      unit: first.creditedUnit,
      credited: periods.map((period) => of(period)?.credited ?? null),
      quota: periods.map((period) => of(period)?.quota ?? null),
    };
  });
}

/** The goal with the largest quota: the one that a list of people is ordered by. */
export function mainGoal(goals: Goal[]): Goal | undefined {
  const size = (goal: Goal) => chartNumber(goal.quota ?? "0");
  return goals.filter((goal) => goal.quota !== null).toSorted((left, right) => size(right) - size(left))[0];
}

// Credits and rewards of a calculation, a row for each payee and unit; and what a release shows to whom.

import type { Schemas } from "../../lib/api";
import { addAmounts } from "../../lib/amounts";

type Credit = Pick<Schemas["PostedCredit"], "payee" | "team" | "amount" | "unit_type" | "status">;
type Reward = Pick<Schemas["EarnedReward"], "payee" | "amount" | "unit_type">;

export type PayeeRow = { payee: string; isTeam: boolean; unit: string; credited: string; held: string; rewards: string; count: number };

/** Suppressed and void credits count for nobody. */
export function payeeRows(credits: Credit[], rewards: Reward[]): PayeeRow[] {
  const rows = new Map<string, PayeeRow>();
  const row = (payee: string, isTeam: boolean, unit: string): PayeeRow => {
    const key = `${payee}\n${isTeam}\n${unit}`;
    const known = rows.get(key) ?? { payee, isTeam, unit, credited: "0", held: "0", rewards: "0", count: 0 };
    rows.set(key, known);
    return known;
  };

  for (const credit of credits) {
    if (credit.status !== "active" && credit.status !== "held") continue;
    const one = row(credit.payee ?? credit.team ?? "–", credit.payee === null && credit.team !== null, credit.unit_type);
    const key = credit.status === "held" ? "held" : "credited";
    one[key] = addAmounts(one[key], credit.amount);
    one.count += 1;
  }
  for (const reward of rewards) {
    const one = row(reward.payee, false, reward.unit_type);
    one.rewards = addAmounts(one.rewards, reward.amount);
  }
  return [...rows.values()];
}

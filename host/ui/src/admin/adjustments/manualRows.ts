// Credits and rewards by hand as one list, newest first.

import type { Schemas } from "../../lib/api";

export type ManualRow = {
  kind: "credit" | "reward";
  /** The credit or reward; null where no plan counts it now. */
  id: string | null;
  at: number;
  name: string;
  payee: string | null;
  plan: string;
  period: string;
  amount: string;
  unit: string;
  reason_code: string;
  comment: string | null;
  who: string;
  date: string;
  approvedBy: string | null;
  reverses: string | null;
  isReversed: boolean;
};

type Act = Pick<Schemas["ManualReward"], "reason_code" | "comment" | "who" | "date" | "reverses"> & { approved: { who: string } | null };
const shared = (act: Act, reversed: Set<string | null>, id: string | null) => ({
  id,
  reason_code: act.reason_code,
  comment: act.comment,
  who: act.who,
  date: act.date,
  approvedBy: act.approved?.who ?? null,
  reverses: act.reverses,
  isReversed: id !== null && reversed.has(id),
});

export function manualRows(credits: Schemas["ManualCreditAct"][], rewards: Schemas["ManualReward"][]): ManualRow[] {
  const reversed = new Set([...credits, ...rewards].map((act) => act.reverses));
  const ofCredits = credits.map((act, at): ManualRow => ({
    ...shared(act, reversed, act.credit?.id ?? null),
    kind: "credit",
    at,
    name: act.credit?.credit_type ?? "",
    payee: act.credit?.payee ?? act.credit?.position ?? null,
    plan: act.credit?.plan ?? "",
    period: act.credit?.period ?? act.requested_period ?? "",
    amount: act.credit?.amount ?? "0",
    unit: act.credit?.unit_type ?? "",
  }));
  const ofRewards = rewards.map((act, at): ManualRow => ({
    ...shared(act, reversed, act.reward.id),
    kind: "reward",
    at,
    name: act.reward.reward,
    payee: act.reward.payee,
    plan: act.reward.plan,
    period: act.reward.period,
    amount: act.reward.amount,
    unit: act.reward.unit_type,
  }));
  return [...ofCredits, ...ofRewards].toSorted((left, right) => right.date.localeCompare(left.date) || right.at - left.at);
}

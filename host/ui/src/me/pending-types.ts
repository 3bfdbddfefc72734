// Bodies of routes that are not in `lib/api-types.ts` yet. When they are, each line becomes
// `Schemas["…"]` of the name beside it.

/** A tier; its limits are amounts in the unit of the credits. Replaced by `TierRange`. */
export type TierRange = { from: string; up_to: string | null; rate: string };

/** The tier behind the one that is reached. Replaced by `NextTier`. */
export type NextTier = { from: string; rate: string; missing: string };

/** A row of `GET /v1/me/progress`. Replaced by `TierProgress`. */
export type TierProgress = {
  plan: string;
  plan_name: string;
  period: string;
  reward: string;
  team: string | null;
  credit_type: string;
  credited: string;
  credited_unit_type: string;
  quota: string | null;
  attainment: string | null;
  amount: string;
  unit_type: string;
  confirmed: boolean;
  kind: "cumulative" | "retroactive" | null;
  to_date: string | null;
  has_maximum: boolean;
  tiers: TierRange[];
  tier: number | null;
  next_tier: NextTier | null;
};

/** The body of `POST /v1/me/what-if`. Replaced by `WhatIfRequest`. */
export type WhatIfRequest = { amount: string; plan?: string; date?: string; columns?: Record<string, string> };

/** Replaced by `ImaginedCredit`. */
export type ImaginedCredit = {
  plan: string;
  plan_name: string;
  rule: string;
  kind: "direct" | "indirect";
  team: string | null;
  credit_type: string;
  amount: string;
  unit_type: string;
  held: boolean;
  held_until: string | null;
};

/** Replaced by `ImaginedReward`. */
export type RewardChange = {
  plan: string;
  plan_name: string;
  period: string;
  reward: string;
  team: string | null;
  unit_type: string;
  before: string;
  after: string;
  difference: string;
  tier_before: number | null;
  tier_after: number | null;
  next_tier: NextTier | null;
};

/** The answer of `POST /v1/me/what-if`. Replaced by `WhatIf`. */
export type WhatIfAnswer = {
  date: string;
  credits: ImaginedCredit[];
  rewards: RewardChange[];
  total: { unit_type: string; difference: string }[];
  reasons: { plan: string; code: string; message: string }[];
};

// Bodies of the API, by the names that this area knows them by.

import type { Schemas } from "../lib/api";

export type TierRange = Schemas["TierRange"];
export type NextTier = Schemas["NextTier"];
export type TierProgress = Schemas["TierProgress"];
export type WhatIfRequest = Schemas["WhatIfRequest"];
export type ImaginedCredit = Schemas["ImaginedCredit"];
export type RewardChange = Schemas["ImaginedReward"];
export type WhatIfAnswer = Schemas["WhatIf"];

// States and parts as words for people, with the tone of their badge.

type Tone = "good" | "warn" | "bad" | "info" | "plain";
export type Word = { text: string; tone: Tone };

const WORDS: Record<string, Word> = {
  // credits
  active: { text: "active", tone: "good" },
  held: { text: "held", tone: "warn" },
  suppressed: { text: "suppressed", tone: "plain" },
  void: { text: "void", tone: "bad" },
  // outcomes of deals
  credited: { text: "credited", tone: "good" },
  uncredited: { text: "not credited", tone: "warn" },
  parked: { text: "parked", tone: "bad" },
  filtered: { text: "not in the plan", tone: "plain" },
  // periods
  open: { text: "open", tone: "info" },
  ended: { text: "over, still open", tone: "info" },
  future: { text: "not begun", tone: "plain" },
  closed: { text: "closed", tone: "warn" },
  finalized: { text: "finalized", tone: "good" },
  // releases
  pending: { text: "credits visible", tone: "info" },
  confirmed: { text: "rewards confirmed", tone: "good" },
  deleted: { text: "release removed", tone: "plain" },
  // runs, requests, keys, events
  waiting: { text: "waiting", tone: "warn" },
  running: { text: "running", tone: "info" },
  done: { text: "done", tone: "good" },
  failed: { text: "failed", tone: "bad" },
  cancelled: { text: "cancelled", tone: "plain" },
  approved: { text: "approved", tone: "good" },
  withdrawn: { text: "withdrawn", tone: "plain" },
  draft: { text: "does not check", tone: "warn" },
  checked: { text: "proposal", tone: "info" },
  sent: { text: "sent", tone: "good" },
  dead: { text: "dead", tone: "bad" },
  disabled: { text: "disabled", tone: "bad" },
  invited: { text: "invited", tone: "info" },
  expired: { text: "expired", tone: "bad" },
  // enquiries
  in_progress: { text: "in progress", tone: "info" },
  resolved: { text: "resolved", tone: "good" },
  rejected: { text: "rejected", tone: "bad" },
};

/** A state that is not known is shown as it is. */
export const wordOf = (state: string): Word => WORDS[state] ?? { text: state.replaceAll("_", " "), tone: "plain" };

export const ORIGINS: Record<string, string> = {
  calculated: "from its deal",
  manual: "given or adjusted by hand",
  late: "came after its period was closed",
  retro: "corrects a closed period",
  draw: "draw",
  carried: "carried over",
};

/** What a part of the server does, for its faults. */
const PARTS: Record<string, string> = {
  store: "The data file cannot be written",
  writer: "New deliveries are not stored",
  worker: "Deals are not decided",
  deliveries: "Events are not sent to other systems",
  fetcher: "Deals are not fetched from the CRM",
  backups: "Backups fail",
  checkpoints: "Checkpoints of the audit trail fail",
  watcher: "Changed files are not read",
};
export const faultName = (part: string): string => PARTS[part] ?? `The part “${part}” has a fault`;

/** What a person made of a period, as a word before "by". */
export const madeOf = (state: string): string => (state === "open" ? "reopened" : state);

const STAGES: Record<string, string> = {
  intake: "Intake",
  filter: "Filter",
  crediting: "Who",
  value: "Value",
  hold: "Hold",
  duplication: "Duplicates",
  rollup: "Roll-up",
  maximum: "Maximum",
  posting: "Posting",
  adjustment: "Adjustment",
  reward: "Reward",
};
export const stageName = (stage: string): string => STAGES[stage] ?? stage.charAt(0).toUpperCase() + stage.slice(1);

// Why a credit is what it is, in plain words: from the fields of the credit that its payee sees.

import type { Schemas } from "../lib/api";
import { formatAmount, formatDay } from "../lib/format";
import { periodName } from "./periods";
import type { Voice } from "./subject";

/** A credit of a list, or one of an explanation, which names its plan elsewhere. */
export type ShownCredit = Schemas["PayeeCredit"] & { plan?: string; confirmed?: boolean };

/** The parts of an explanation; each is whole sentences. */
export type CreditStory = {
  /** Why there is a credit. */
  why: string;
  /** How the amount came about, where more is to say than the amount. */
  amount: string[];
  /** Whether it counts, and why not. */
  standing: string;
  /** The credit that this one is a duplicate of. */
  duplicateOf: string | null;
};

/** A message of the server as a sentence. */
export function sentence(message: string): string {
  const text = message.trim();
  if (text === "") return "";
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** By whom the deal came to the payee. */
function reasonOf(credit: ShownCredit, voice: Voice): string {
  const rule = `the rule “${credit.rule}”`;
  if (credit.origin === "manual") return "a person added or changed this credit by hand";
  if (credit.kind === "indirect") {
    if (credit.relationship === "Reporting" || credit.relationship === null) {
      return `the deal was credited to a person who reports to ${voice.them} (${rule})`;
    }
    return `the relationship “${credit.relationship}” leads from a person with this deal to ${voice.them} (${rule})`;
  }
  if (credit.team) return `the deal belongs to ${voice.your} team ${credit.team} by ${rule}`;
  return `the deal belongs to ${voice.them} by ${rule}`;
}

function whyText(credit: ShownCredit, voice: Voice): string {
  const amount = formatAmount(credit.amount, credit.unit_type);
  if (credit.reverses) {
    return `This entry of ${amount} takes back an earlier credit, because the deal was decided anew after its period was finalized.`;
  }
  const code = credit.origin === "manual" && credit.reason_code ? ` The reason given is “${credit.reason_code}”.` : "";
  return `${voice.you} ${voice.were} credited ${amount} because ${reasonOf(credit, voice)}.${code}`;
}

function amountTexts(credit: ShownCredit): string[] {
  const texts: string[] = [];
  if (credit.before_maximum) {
    const [before, now] = [credit.before_maximum, credit.amount].map((amount) => formatAmount(amount, credit.unit_type));
    texts.push(`Before the maximum it was ${before}. The maximum of the plan cut it to ${now}.`);
  }
  if (credit.origin === "late") {
    texts.push("The deal was decided after its own period was finalized.");
  }
  if (credit.origin === "retro" && !credit.reverses) {
    texts.push("This entry corrects a credit of a finalized period.");
  }
  if (credit.origin !== "manual" && credit.reason_code) texts.push(`The reason code is “${credit.reason_code}”.`);
  return texts;
}

/** Why it is held. The server writes a word for some causes, and a sentence of a person for others. */
function heldText(credit: ShownCredit): string {
  const reason = credit.reason ?? "";
  if (credit.release_date) {
    const day = formatDay(credit.release_date);
    return `Held until ${day} because the plan holds this credit until that day. It does not count before.`;
  }
  if (reason === "release_in_other_year") {
    return "Held without a date because the hold would end in another fiscal year. It counts when a person releases it.";
  }
  if (reason === "policy_error") {
    return "Held because the plan could not decide how long to hold it. It counts when a person releases it.";
  }
  if (reason === "indefinite") return "Held without a date. It counts when a person releases it.";
  const because = reason ? ` because of this: ${sentence(reason)}` : ".";
  return `Held${because} It counts when a person releases it.`;
}

function standingText(credit: ShownCredit): string {
  switch (credit.status) {
    case "held":
      return heldText(credit);
    case "suppressed":
      return "It does not count, because another credit for the same deal counts in its place.";
    case "void":
      return "It does not count, because it was taken back.";
    default: {
      const released = credit.release_date ? `It was held until ${formatDay(credit.release_date)}. ` : "";
      const counted = `${released}It counts in ${periodName(credit.period)}.`;
      if (credit.confirmed === undefined) return counted;
      const certain = credit.confirmed ? "The amount is confirmed." : "The amount is pending: it can change until the statement is confirmed.";
      return `${counted} ${certain}`;
    }
  }
}

export function creditStory(credit: ShownCredit, voice: Voice): CreditStory {
  return {
    why: whyText(credit, voice),
    amount: amountTexts(credit),
    standing: standingText(credit),
    duplicateOf: /^duplicate_of:(crd_[0-9a-f]+)$/.exec(credit.reason ?? "")?.[1] ?? null,
  };
}

/** The state of a credit in a word. */
export function creditState(credit: ShownCredit): { text: string; tone: "good" | "warn" | "info" | "plain" } {
  if (credit.status === "held") return { text: "Held", tone: "warn" };
  if (credit.status === "suppressed") return { text: "Duplicate", tone: "plain" };
  if (credit.status === "void") return { text: "Taken back", tone: "plain" };
  return credit.confirmed === false ? { text: "Pending", tone: "info" } : { text: "Confirmed", tone: "good" };
}

/** How a credit came into its period. */
export function originText(credit: Pick<ShownCredit, "origin" | "reverses">): string {
  const texts = { calculated: "Calculated", manual: "By hand", late: "Late deal", retro: credit.reverses ? "Taken back" : "Correction" };
  return texts[credit.origin];
}

// Questions of payees: the words for their states, their conversation, and what a new one needs.

import type { Schemas } from "../lib/api";
import { isAmount } from "../lib/amounts";

export type Enquiry = Schemas["Enquiry"];

type Tone = "good" | "warn" | "bad" | "info" | "plain";

const STATES: Record<string, { text: string; tone: Tone }> = {
  open: { text: "Open", tone: "warn" },
  in_progress: { text: "In progress", tone: "info" },
  resolved: { text: "Resolved", tone: "good" },
  rejected: { text: "Rejected", tone: "bad" },
  closed: { text: "Closed", tone: "plain" },
};
export const enquiryState = (state: string): { text: string; tone: Tone } => STATES[state] ?? { text: state, tone: "plain" };

export const KINDS = [
  { kind: "incorrect", text: "An amount is wrong" },
  { kind: "missing", text: "A credit is missing" },
] as const;
export const kindText = (kind: string): string => KINDS.find((one) => one.kind === kind)?.text ?? kind;

/** Whether someone still has to act on it. */
export const isWaiting = (enquiry: Pick<Enquiry, "state">): boolean => enquiry.state === "open" || enquiry.state === "in_progress";

/** Seconds since it was asked. */
export const enquiryAge = (enquiry: Pick<Enquiry, "at_ms">, now: number): number => Math.max(0, Math.floor((now - enquiry.at_ms) / 1000));

export type Said = { who: string; at: number; text: string; byPayee: boolean; what: "question" | "message" | "answer" };

/** The question, the messages and the answer, oldest first. */
export function conversation(enquiry: Enquiry): Said[] {
  const said: Said[] = [{ who: enquiry.asked_by ?? enquiry.payee, at: enquiry.at_ms, text: enquiry.text, byPayee: true, what: "question" }];
  for (const message of enquiry.messages) {
    said.push({ who: message.who, at: message.at_ms, text: message.text, byPayee: message.by_payee, what: "message" });
  }
  if (enquiry.answer) {
    said.push({ who: enquiry.answer.who, at: enquiry.answer.at_ms, text: enquiry.answer.text, byPayee: false, what: "answer" });
  }
  return said.toSorted((left, right) => left.at - right.at);
}

/** The newest thing that was said. */
export const lastSaid = (enquiry: Enquiry): Said => conversation(enquiry).at(-1)!;

/** An amount as people type it: with commas between thousands, or without. Null if it is none. */
export function typedAmount(text: string): string | null {
  const trimmed = text.trim().replaceAll(/\s/g, "");
  const plain = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(trimmed) ? trimmed.replaceAll(",", "") : trimmed;
  return isAmount(plain) ? plain : null;
}

export const AMOUNT_HINT = "Write digits with a point before the cents, such as 1250.00.";

export type Draft = { kind: string; transaction: string; credit: string; expected: string; text: string };
export type DraftProblems = { text?: string; expected?: string; transaction?: string };

const TEXT_MAX = 4000;

/** What keeps a question from being sent, by field. */
export function draftProblems(draft: Draft): DraftProblems {
  const problems: DraftProblems = {};
  const length = draft.text.trim().length;
  if (length === 0) problems.text = "Write your question.";
  if (length > TEXT_MAX) problems.text = `The question has ${length} characters. Shorten it to ${TEXT_MAX}.`;
  if (draft.expected.trim() !== "" && typedAmount(draft.expected) === null) problems.expected = AMOUNT_HINT;
  if (draft.kind === "missing" && draft.transaction.trim() === "") problems.transaction = "Name the deal, so that it can be found.";
  return problems;
}

/** The body of the request. */
export function requestOf(draft: Draft): Schemas["EnquiryRequest"] {
  const given = (text: string) => (text.trim() === "" ? null : text.trim());
  return {
    kind: draft.kind,
    text: draft.text.trim(),
    transaction: given(draft.transaction),
    credit: given(draft.credit),
    expected: typedAmount(draft.expected),
  };
}

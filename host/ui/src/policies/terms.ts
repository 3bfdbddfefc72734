// The terms of a change: what it means for existing credits, why, and how much money it may move.

import { isAmount, isNegative } from "../lib/amounts";

export type Terms = {
  choice: "now" | "recredit" | "from";
  /** A day such as `2026-01-31`, where the choice is `from`. */
  from: string;
  comment: string;
  /** Words with commas between them. */
  tags: string;
  maxTotal: string;
  maxPayee: string;
  /** Why people with credits may go. */
  force: string;
};

export const noTerms = (): Terms => ({ choice: "now", from: "", comment: "", tags: "", maxTotal: "", maxPayee: "", force: "" });

export const effectiveOf = (terms: Terms): string => (terms.choice === "from" ? `from:${terms.from}` : terms.choice);

/** What is missing or wrong, in a sentence for each field. */
export function problemsOf(terms: Terms): Partial<Record<"from" | "maxTotal" | "maxPayee", string>> {
  const limit = (text: string) => (text.trim() === "" || (isAmount(text.trim()) && !isNegative(text.trim())) ? undefined : "Write digits with a point before the cents, such as 1250.00.");
  return {
    ...(terms.choice === "from" && !/^\d{4}-\d{2}-\d{2}$/.test(terms.from) ? { from: "Choose the first day." } : {}),
    ...(limit(terms.maxTotal) ? { maxTotal: limit(terms.maxTotal) } : {}),
    ...(limit(terms.maxPayee) ? { maxPayee: limit(terms.maxPayee) } : {}),
  };
}

const given = (text: string): string | null => (text.trim() === "" ? null : text.trim());

/** The keys of a change that these terms are sent as. */
export function bodyOf(terms: Terms) {
  return {
    effective: effectiveOf(terms),
    comment: given(terms.comment),
    tags: terms.tags.split(",").map((tag) => tag.trim()).filter(Boolean),
    max_total: given(terms.maxTotal),
    max_payee: given(terms.maxPayee),
    force: given(terms.force),
  };
}

/** What the choice means, in a sentence. */
export function meaningOf(effective: string, day: (date: string) => string): string {
  if (effective === "now") return "Deals that arrive from now on follow it. Credits that exist stay as they are.";
  if (effective === "recredit") return "Every deal of an open period is decided again. What differs is reversed and entered anew.";
  return `Deals from ${day(effective.replace("from:", ""))} on are decided again. What differs is reversed and entered anew.`;
}

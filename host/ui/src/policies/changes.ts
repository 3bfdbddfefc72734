// Changes as they are listed: activations, which are or were in force, and changes that are kept.

import type { Schemas } from "../lib/api";

export type Activation = Schemas["Activation"];
export type KeptChange = Schemas["KeptChange"];
/** A file of a kept change: its text in the set that the change was made for, and the one that it brings. */
export type ChangedText = Schemas["ChangedText"];
/** A kept change by itself, with its texts. */
export type ReadChange = Schemas["ReadChange"];
export type AnyChange = Schemas["Change"];

export const isActivation = (change: AnyChange): change is Activation => "sequence" in change;

/** The number that an activation or a kept change has in addresses. */
export const changeHref = (change: AnyChange): string => (isActivation(change) ? `/policies/changes/activation/${change.sequence}` : `/policies/changes/kept/${change.id}`);

export const pathsOf = (change: AnyChange): string[] => (isActivation(change) ? change.files : Object.keys(change.files));

const STATES: Record<string, { text: string; tone: "good" | "warn" | "info" | "plain" }> = {
  active: { text: "in force", tone: "good" },
  retired: { text: "was in force", tone: "plain" },
  draft: { text: "does not check", tone: "warn" },
  checked: { text: "proposal", tone: "info" },
  waiting: { text: "waits for approval", tone: "warn" },
  shadow: { text: "runs in the shadow", tone: "info" },
  withdrawn: { text: "withdrawn", tone: "plain" },
};
export function stateOf(change: AnyChange): { text: string; tone: "good" | "warn" | "info" | "plain" } {
  const state = String(change.state ?? "");
  if (!isActivation(change) && state === "active") return { text: "activated", tone: "plain" };
  return STATES[state] ?? { text: state, tone: "plain" };
}

/** Whether a kept change can still come into force. */
export const isOpen = (change: KeptChange): boolean => ["draft", "checked", "waiting", "shadow"].includes(String(change.state));

export function effectWords(effective: string, day: (date: string) => string): string {
  if (effective === "now") return "new deals";
  return effective === "recredit" ? "open periods" : `from ${day(effective.replace("from:", ""))}`;
}

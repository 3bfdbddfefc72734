// The screens of policies: which one an address opens. Each is loaded when it is first opened.

import type { Component } from "svelte";

/** `parts` are those of the address behind the screen's own. */
type Detail = { default: Component<{ parts: string[] }> };
type List = { default: Component<Record<string, never>> };
type Screen = { path: string; list: () => Promise<List>; detail?: () => Promise<Detail> };

const screens: Screen[] = [
  { path: "", list: () => import("./PolicyList.svelte") },
  { path: "policy", list: () => import("./PolicyList.svelte"), detail: () => import("./PolicyScreen.svelte") },
  { path: "plans", list: () => import("./PlanList.svelte"), detail: () => import("./PlanScreen.svelte") },
  { path: "files", list: () => import("./FileList.svelte"), detail: () => import("./FileScreen.svelte") },
  { path: "activate", list: () => import("./Activate.svelte") },
  { path: "changes", list: () => import("./ChangeList.svelte"), detail: () => import("./ChangeScreen.svelte") },
  { path: "lineage", list: () => import("./Lineage.svelte") },
  { path: "new", list: () => import("./NewPolicy.svelte") },
];

/** What an address opens: a list, or one thing with the parts of the address that name it. */
export type Opened = { list: Screen["list"] } | { detail: NonNullable<Screen["detail"]>; parts: string[] };

export function screenOf(parts: string[]): Opened | null {
  const [first = "", ...rest] = parts;
  const screen = screens.find((one) => one.path === first);
  if (!screen) return null;
  if (rest.length === 0) return { list: screen.list };
  return screen.detail ? { detail: screen.detail, parts: rest } : null;
}

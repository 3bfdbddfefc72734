// The screens of the administrator's area: a new one is a file and a line here.

import type { Component } from "svelte";

/** Details take the parts of the path as `id` and `more`; lists take nothing. */
type Loaded = Promise<{ default: Component<any> }>;

export type AdminScreen = {
  /** The part of the path after /admin; empty for the first screen. */
  path: string;
  label: string;
  load: () => Loaded;
  /** Whether an administrator alone may read it. */
  isForAdmin?: boolean;
  /** Shown for /admin/PATH/ID. */
  detail?: () => Loaded;
  /** Shown for /admin/PATH/ID/MORE. */
  deeper?: () => Loaded;
};

export type ScreenGroup = { label: string; screens: AdminScreen[] };

export const screenGroups: ScreenGroup[] = [
  {
    label: "Work",
    screens: [
      { path: "", label: "Today", load: () => import("./today/Today.svelte") },
      { path: "alerts", label: "Alerts", load: () => import("./alerts/Alerts.svelte") },
      { path: "enquiries", label: "Enquiries", load: () => import("./enquiries/Enquiries.svelte"), detail: () => import("./enquiries/EnquiryDetail.svelte") },
      { path: "approvals", label: "Approvals", load: () => import("./approvals/Approvals.svelte") },
      { path: "sources", label: "Sources", load: () => import("./sources/Sources.svelte") },
      { path: "reconciliation", label: "Reconciliation", load: () => import("./sources/ReconciliationScreen.svelte") },
    ],
  },
  {
    label: "Results",
    screens: [
      {
        path: "periods",
        label: "Periods and calculations",
        load: () => import("./periods/Periods.svelte"),
        detail: () => import("./periods/PeriodDetail.svelte"),
        deeper: () => import("./periods/CalculationDetail.svelte"),
      },
      { path: "credits", label: "Credits", load: () => import("./credits/Credits.svelte"), detail: () => import("./credits/CreditDetail.svelte") },
      { path: "deals", label: "Deals", load: () => import("./deals/Deals.svelte"), detail: () => import("./deals/DealDetail.svelte") },
      { path: "holds", label: "Holds", load: () => import("./holds/Holds.svelte") },
      { path: "adjustments", label: "Adjustments", load: () => import("./adjustments/Adjustments.svelte") },
    ],
  },
  {
    label: "Company",
    screens: [
      { path: "organization", label: "Organization", load: () => import("./organization/Organization.svelte") },
      { path: "sheets", label: "Quotas, tables, attributes", load: () => import("./sheets/Sheets.svelte"), detail: () => import("./sheets/SheetEditor.svelte") },
    ],
  },
  {
    label: "Safety",
    screens: [
      { path: "audit", label: "Audit trail", load: () => import("./audit/Audit.svelte") },
      { path: "people", label: "People and keys", isForAdmin: true, load: () => import("./people/People.svelte") },
      { path: "destinations", label: "Destinations", load: () => import("./backups/Destinations.svelte"), detail: () => import("./backups/DestinationEvents.svelte") },
      { path: "backups", label: "Backups", load: () => import("./backups/Backups.svelte") },
    ],
  },
];

/** The screen of the parts behind /admin, and what loads it. */
export function screenOf(parts: string[], groups: ScreenGroup[] = screenGroups): { screen: AdminScreen; load: () => Loaded } | null {
  const [first = "", id, more] = parts;
  const screen = groups.flatMap((group) => group.screens).find((one) => one.path === first);
  if (!screen) return null;
  const load = parts.length <= 1 ? screen.load : parts.length === 2 ? screen.detail : parts.length === 3 ? screen.deeper : undefined;
  return load && (parts.length < 2 || id !== undefined) && (parts.length < 3 || more !== undefined) ? { screen, load } : null;
}

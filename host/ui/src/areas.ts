// The areas of the console: a new one is a folder and a line here. Each is loaded when it is first opened.

import type { Component } from "svelte";
import { session } from "./lib/session.svelte";

export type Area = {
  /** First part of the path. */
  path: string;
  label: string;
  isOffered: () => boolean;
  load: () => Promise<{ default: Component }>;
  /** Screens that the command palette offers. */
  screens: { href: string; label: string }[];
};

const mayPlay = () => session.isStaff || session.welcome?.demo != null;

export const areas: Area[] = [
  {
    path: "me",
    label: "My pay",
    isOffered: () => session.isPayee,
    load: () => import("./me/Area.svelte"),
    screens: [
      { href: "/me", label: "This period" },
      { href: "/me/credits", label: "My credits" },
      { href: "/me/rewards", label: "My rewards" },
      { href: "/me/statements", label: "My statements" },
      { href: "/me/what-if", label: "What if I close this deal" },
      { href: "/me/enquiries", label: "My enquiries" },
    ],
  },
  {
    path: "team",
    label: "My team",
    isOffered: () => session.isManager,
    load: () => import("./team/Area.svelte"),
    screens: [
      { href: "/team", label: "Ranking and risk" },
      { href: "/team/enquiries", label: "Enquiries of my people" },
    ],
  },
  {
    path: "admin",
    label: "Administration",
    isOffered: () => session.isStaff,
    load: () => import("./admin/Area.svelte"),
    screens: [
      { href: "/admin", label: "Today" },
      { href: "/admin/sources", label: "Sources" },
      { href: "/admin/reconciliation", label: "Reconciliation" },
      { href: "/admin/periods", label: "Periods and calculations" },
      { href: "/admin/credits", label: "Credits" },
      { href: "/admin/deals", label: "Deals" },
      { href: "/admin/holds", label: "Holds" },
      { href: "/admin/adjustments", label: "Adjustments and manual credits" },
      { href: "/admin/organization", label: "Organization" },
      { href: "/admin/sheets", label: "Quotas, tables and attributes" },
      { href: "/admin/alerts", label: "Alerts" },
      { href: "/admin/enquiries", label: "Enquiries" },
      { href: "/admin/approvals", label: "Approvals" },
      { href: "/admin/audit", label: "Audit trail" },
      { href: "/admin/people", label: "People and keys" },
      { href: "/admin/destinations", label: "Destinations of events" },
      { href: "/admin/backups", label: "Backups" },
    ],
  },
  {
    path: "policies",
    label: "Policies",
    isOffered: () => session.isStaff,
    load: () => import("./policies/Area.svelte"),
    screens: [
      { href: "/policies", label: "Policies" },
      { href: "/policies/plans", label: "Plans" },
      { href: "/policies/files", label: "All files" },
      { href: "/policies/changes", label: "Changes and activations" },
      { href: "/policies/lineage", label: "Lineage" },
    ],
  },
  {
    path: "play",
    label: "Playground",
    isOffered: mayPlay,
    load: () => import("./play/Area.svelte"),
    screens: [{ href: "/play", label: "Playground" }],
  },
];

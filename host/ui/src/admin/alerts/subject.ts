// What an alert is about, whichever kind it is, and where to go.

import type { Schemas } from "../../lib/api";

export type Alert = Schemas["Alert"];
export type Subject = { deal: string | null; payee: string | null; plan: string | null; period: string | null; href: string | null; label: string };

const text = (alert: Alert, key: string): string | null => {
  const value = (alert as unknown as Record<string, unknown>)[key];
  return typeof value === "string" && value !== "" ? value : null;
};

export function subjectOf(alert: Alert): Subject {
  const [deal, payee, plan, period] = [text(alert, "transaction"), text(alert, "payee"), text(alert, "plan"), text(alert, "period")];
  const known = { deal, payee, plan, period };
  const at = encodeURIComponent;
  if (alert.code === "enquiry") {
    const number = /^enquiry-(\d+)$/.exec(alert.id)?.[1];
    return { ...known, href: number ? `/admin/enquiries/${number}` : "/admin/enquiries", label: payee ?? "enquiry" };
  }
  if ("sequence" in alert) return { ...known, href: "/admin/sources", label: `${alert.source}, ${alert.delivery}` };
  if (deal) return { ...known, href: `/admin/deals/${at(deal)}`, label: deal };
  if (payee) return { ...known, href: `/admin/credits?payee=${at(payee)}`, label: payee };
  if (plan && period) return { ...known, href: `/admin/periods/${at(period)}/${at(plan)}`, label: `${plan}, ${period}` };
  if (period) return { ...known, href: `/admin/periods/${at(period)}`, label: period };
  return { ...known, href: null, label: "" };
}

/** Codes with their alerts, the most frequent first. */
export function byCode(alerts: Alert[]): [string, Alert[]][] {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) groups.set(alert.code, [...(groups.get(alert.code) ?? []), alert]);
  return [...groups].toSorted(([, left], [, right]) => right.length - left.length);
}

/** The assignee of alerts that nobody takes care of, in the address. */
export const NOBODY = "none";

/** Everybody who takes care of an alert. */
export const assignees = (alerts: Alert[]): string[] => [...new Set(alerts.flatMap((alert) => alert.assignee ?? []))].toSorted();

export const fitsAssignee = (alert: Alert, wanted: string | null): boolean => !wanted || (alert.assignee ?? NOBODY) === wanted;

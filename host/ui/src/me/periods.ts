// Periods of a payee: which one is shown first, and which are offered.

import type { Schemas } from "../lib/api";

export type OwnPeriod = Schemas["OwnPeriod"];

/** How many periods before the newest are offered. */
const OFFERED = 13;

/** Newest first; of two that begin on one day the shorter first. */
export function newestFirst(periods: OwnPeriod[]): OwnPeriod[] {
  const before = (left: string | null, right: string | null) => (left ?? "9999") < (right ?? "9999");
  return periods.toSorted((left, right) => {
    if (left.first !== right.first) return left.first < right.first ? 1 : -1;
    return before(left.last, right.last) ? -1 : 1;
  });
}

/** Those that a reader chooses from: this one and the twelve before it. */
export const offeredPeriods = (periods: OwnPeriod[]): OwnPeriod[] => newestFirst(periods).slice(0, OFFERED);

/** Whether a day is in a period. */
export const holdsDay = (period: OwnPeriod, day: string): boolean =>
  period.first <= day && (period.last === null || day <= period.last);

/**
 * The period that is shown: the one that the address names; else the one that goes on, if something of it
 * is published; else the newest with something published.
 */
export function shownPeriod(periods: OwnPeriod[], named: string | null, today: string): OwnPeriod | undefined {
  const known = newestFirst(periods);
  const asked = known.find((period) => period.id === named);
  if (asked) return asked;

  const current = known.find((period) => holdsDay(period, today));
  if (current && current.plans.length > 0) return current;
  return known.find((period) => period.plans.length > 0 && period.first <= today) ?? current ?? known[0];
}

const dayNumber = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 86_400_000;

/** How much of a period has passed on a day, the day included: from 0 to 1; null without an end. */
export function timePassed(period: OwnPeriod, today: string): number | null {
  if (period.last === null) return null;
  const days = dayNumber(period.last) - dayNumber(period.first) + 1;
  const passed = dayNumber(today) - dayNumber(period.first) + 1;
  return Math.min(1, Math.max(0, passed / days));
}

/** Days of a period that are left after a day; none once it is over. */
export function daysLeft(period: OwnPeriod, today: string): number {
  return period.last === null ? 0 : Math.max(0, dayNumber(period.last) - dayNumber(today));
}

/** `March 2026` for a calendar month, else the id of the calendar. */
export function periodName(id: string, locale = globalThis.navigator?.language || "en"): string {
  const month = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(id);
  if (!month) return id;
  const first = new Date(Date.UTC(Number(month[1]), Number(month[2]) - 1, 1));
  return first.toLocaleDateString(locale, { month: "long", year: "numeric", timeZone: "UTC" });
}

/** Names for the axis of a chart: short months, with the year where it begins. */
export function axisNames(ids: string[], locale = globalThis.navigator?.language || "en"): string[] {
  return ids.map((id, at) => {
    const month = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(id);
    if (!month) return id;
    const first = new Date(Date.UTC(Number(month[1]), Number(month[2]) - 1, 1));
    const isNewYear = ids[at - 1]?.slice(0, 4) !== month[1];
    return first.toLocaleDateString(locale, { month: "short", ...(isNewYear && { year: "2-digit" }), timeZone: "UTC" });
  });
}

// Months as weeks of days, for a calendar on the screen. Days are texts such as `2026-03-31`; no zones are involved.

export type GridDay = { day: string; number: number; isInMonth: boolean };

const two = (number: number) => String(number).padStart(2, "0");
const dayText = (at: Date) => `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;

/** The weeks of a month such as `2026-03`, Monday first, filled with days of the months beside it. */
export function monthGrid(month: string): GridDay[][] {
  const [year = 0, number = 1] = month.split("-").map(Number);
  const first = new Date(Date.UTC(year, number - 1, 1));
  const before = (first.getUTCDay() + 6) % 7;
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const weeks = Math.ceil((before + last) / 7);
  return Array.from({ length: weeks }, (_, week) =>
    Array.from({ length: 7 }, (_, weekday) => {
      const at = new Date(Date.UTC(year, number - 1, 1 - before + week * 7 + weekday));
      return { day: dayText(at), number: at.getUTCDate(), isInMonth: at.getUTCMonth() === number - 1 };
    }),
  );
}

/** A month some months later, or earlier if `by` is negative. */
export function shiftMonth(month: string, by: number): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return dayText(new Date(Date.UTC(year, number - 1 + by, 1))).slice(0, 7);
}

export const isMonth = (text: string | null): text is string => text !== null && /^\d{4}-(0[1-9]|1[0-2])$/.test(text);

export function monthName(month: string, locale = navigator.language): string {
  return new Date(`${month}-01T00:00:00Z`).toLocaleDateString(locale, { month: "long", year: "numeric", timeZone: "UTC" });
}

/** Short names of the days, Monday first. */
export function weekdayNames(locale = navigator.language): string[] {
  return Array.from({ length: 7 }, (_, at) => new Date(Date.UTC(2024, 0, 1 + at)).toLocaleDateString(locale, { weekday: "short", timeZone: "UTC" }));
}

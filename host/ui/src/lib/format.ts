// How numbers, dates and currencies are written: by the locale of the browser.

const locale = (): string => globalThis.navigator?.language || "en";

/** Unit types that are currencies of ISO 4217 are written as money; other units follow the number. */
const isCurrency = (unit: string): boolean => /^[A-Z]{3}$/.test(unit);

const formats = new Map<string, Intl.NumberFormat>();
function numberFormat(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const known = formats.get(`${locale()} ${key}`);
  if (known) return known;
  const made = new Intl.NumberFormat(locale(), options);
  formats.set(`${locale()} ${key}`, made);
  return made;
}

/** An amount with its unit. The text is given to the formatter as it is, which writes every digit of it. */
export function formatAmount(amount: string | null | undefined, unit = ""): string {
  if (amount === null || amount === undefined || amount === "") return "–";
  const exact = amount as unknown as number; // Intl writes decimal text exactly (ECMA-402, NumberFormat v3).
  const fraction = amount.split(".")[1]?.length ?? 0;
  if (isCurrency(unit)) {
    try {
      const money = { style: "currency", currency: unit, minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, fraction) } as const;
      return numberFormat(`${unit} ${fraction}`, money).format(exact);
    } catch {
      // Three letters that are no currency.
    }
  }
  const plain = numberFormat(`plain ${fraction}`, { minimumFractionDigits: Math.min(fraction, 2), maximumFractionDigits: fraction });
  return unit ? `${plain.format(exact)} ${unit}` : plain.format(exact);
}

/** The same with a sign in front of what is more than zero. */
export function formatDifference(amount: string, unit = ""): string {
  const text = formatAmount(amount, unit);
  return /^-|^0*(\.0*)?$/.test(amount) ? text : `+${text}`;
}

export const formatCount = (count: number): string => numberFormat("count", {}).format(count);

/** A share such as `0.85` in percent. */
export function formatShare(part: string | null | undefined): string {
  if (part === null || part === undefined) return "–";
  return numberFormat("percent", { style: "percent", maximumFractionDigits: 1 }).format(part as unknown as number);
}

/** Today as `2026-03-31`, by the clock of the reader. */
export function todayText(now = new Date()): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** A day such as `2026-03-31`. It has no zone, so it is read as UTC and written as UTC. */
export function formatDay(day: string | null | undefined): string {
  if (!day) return "–";
  const at = new Date(`${day}T00:00:00Z`);
  return Number.isNaN(at.getTime()) ? day : at.toLocaleDateString(locale(), { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}

/** A moment, in the zone of the reader. */
export function formatMoment(at: string | number | null | undefined): string {
  if (at === null || at === undefined) return "–";
  const moment = new Date(at);
  return Number.isNaN(moment.getTime()) ? String(at) : moment.toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
}

/** How long ago, in the largest unit that fits. */
export function formatAge(seconds: number): string {
  const units: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? ["second", 1];
  return relative.format(-Math.floor(seconds / size), unit);
}

/** `account_executives` as people write it. */
export function humanize(name: string): string {
  const words = name.replaceAll(/[-_]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `1 deal`, `2 deals`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

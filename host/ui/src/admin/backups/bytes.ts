// Sizes of files for people.

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

export function formatBytes(bytes: number, locale = navigator.language): string {
  const power = Math.min(UNITS.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  const format = new Intl.NumberFormat(locale, { style: "unit", unit: UNITS[power] ?? "byte", unitDisplay: power === 0 ? "long" : "short", maximumFractionDigits: 1 });
  return format.format(bytes / 1000 ** power);
}

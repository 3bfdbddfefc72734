// Exact decimal arithmetic on the text of amounts. No amount ever becomes a floating-point number,
// except as the length of a bar in a chart (`chartNumber`).

/** Digits without the point, and how many of them are behind it. */
type Scaled = { digits: bigint; scale: number };

/** The number that a text writes. Throws where it writes none. */
function scaled(text: string): Scaled {
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!parts) throw new Error(`"${text}" is not an amount: write digits with a point before the cents, such as 1250.00`);
  const [, sign, whole = "0", fraction = ""] = parts;
  const digits = BigInt(whole + fraction);
  return { digits: sign === "-" ? -digits : digits, scale: fraction.length };
}

function written({ digits, scale }: Scaled): string {
  const negative = digits < 0n;
  const text = (negative ? -digits : digits).toString().padStart(scale + 1, "0");
  const whole = text.slice(0, text.length - scale);
  const fraction = scale === 0 ? "" : `.${text.slice(text.length - scale)}`;
  return `${negative ? "-" : ""}${whole}${fraction}`;
}

function aligned(left: string, right: string): [bigint, bigint, number] {
  const [a, b] = [scaled(left), scaled(right)];
  const scale = Math.max(a.scale, b.scale);
  const widen = (one: Scaled) => one.digits * 10n ** BigInt(scale - one.scale);
  return [widen(a), widen(b), scale];
}

export function addAmounts(left: string, right: string): string {
  const [a, b, scale] = aligned(left, right);
  return written({ digits: a + b, scale });
}

export function subtractAmounts(left: string, right: string): string {
  const [a, b, scale] = aligned(left, right);
  return written({ digits: a - b, scale });
}

export function sumAmounts(amounts: Iterable<string>): string {
  let sum = "0";
  for (const amount of amounts) sum = addAmounts(sum, amount);
  return sum;
}

/** Negative, zero or positive, as a comparator of `sort` wants it. */
export function compareAmounts(left: string, right: string): number {
  const [a, b] = aligned(left, right);
  return a < b ? -1 : a > b ? 1 : 0;
}

export const isZero = (amount: string): boolean => scaled(amount).digits === 0n;
export const isNegative = (amount: string): boolean => scaled(amount).digits < 0n;
export const isAmount = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text);

/** A number for the length of a bar or the height of a line: never for a sum, never shown as text. */
export const chartNumber = (amount: string): number => Number(amount);

/** `part` of `whole` in percent for a bar, from 0; 0 where the whole is nothing. */
export function share(part: string, whole: string): number {
  if (isZero(whole)) return 0;
  return Math.max(0, (chartNumber(part) / chartNumber(whole)) * 100);
}

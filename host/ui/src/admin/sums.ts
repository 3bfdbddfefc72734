// Rows added up by a name and a unit: amounts of different units are never added.

import { addAmounts, chartNumber } from "../lib/amounts";

export type Sum = { name: string; unit: string; amount: string; count: number };

/** Sums by name and unit, the largest amount first. */
export function sumBy<R>(rows: Iterable<R>, nameOf: (row: R) => string, of: (row: R) => { amount: string; unit: string }): Sum[] {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const [name, { amount, unit }] = [nameOf(row), of(row)];
    const key = `${name}\n${unit}`;
    const sum = sums.get(key) ?? { name, unit, amount: "0", count: 0 };
    sums.set(key, { ...sum, amount: addAmounts(sum.amount, amount), count: sum.count + 1 });
  }
  return [...sums.values()].toSorted((left, right) => chartNumber(right.amount) - chartNumber(left.amount) || left.name.localeCompare(right.name));
}

type Posted = { amount: string; unit_type: string };

/** The sum of each unit. */
export const totals = (rows: Iterable<Posted>): Sum[] => sumBy(rows, () => "", (row) => ({ amount: row.amount, unit: row.unit_type }));

/** Rows by a name, in order of first sight. */
export function groupBy<R>(rows: Iterable<R>, nameOf: (row: R) => string): Map<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const row of rows) {
    const name = nameOf(row);
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  return groups;
}

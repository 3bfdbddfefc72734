// How many rows of a table another version of it changes.

import type { CsvTable } from "../csv";

/** The changes in a sentence. */
export function changeSentence({ added, removed, same }: RowChanges): string {
  const rows = (count: number) => (count === 1 ? "1 row" : `${count} rows`);
  return `${rows(added)} new or changed, ${rows(removed)} removed or replaced, ${rows(same)} as before.`;
}

export type RowChanges = { added: number; removed: number; same: number; missing: string[] };

/** Rows are compared by their cells under the same names, whatever the order of rows and columns is. */
export function compareRows(before: CsvTable, after: CsvTable): RowChanges {
  const names = [...new Set([...before.header, ...after.header])].toSorted();
  const keys = (table: CsvTable) =>
    table.rows.filter((cells) => cells.some((cell) => cell.trim() !== "")).map((cells) => JSON.stringify(names.map((name) => (cells[table.header.indexOf(name)] ?? "").trim())));

  const counts = new Map<string, number>();
  for (const key of keys(before)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const changes = { added: 0, removed: 0, same: 0, missing: before.header.filter((name) => !after.header.includes(name)) };
  for (const key of keys(after)) {
    const left = counts.get(key) ?? 0;
    if (left > 0) changes.same += 1;
    else changes.added += 1;
    counts.set(key, left - 1);
  }
  changes.removed = [...counts.values()].filter((count) => count > 0).reduce((sum, count) => sum + count, 0);
  return changes;
}

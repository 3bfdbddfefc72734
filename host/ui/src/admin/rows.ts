// Lists that may be longer than a screen should load.

import { getAll } from "../lib/api";

/** How many rows a screen loads at most; a filter narrows what is more. */
export const ROWS_MOST = 10_000;

export type Some<T> = { rows: T[]; isPart: boolean };

export async function getSome<T>(path: string, query: Record<string, string | number | null> = {}): Promise<Some<T>> {
  const rows = await getAll<T>(path, query, ROWS_MOST);
  return { rows, isPart: rows.length >= ROWS_MOST };
}

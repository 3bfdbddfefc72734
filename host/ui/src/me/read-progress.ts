// Tiers of the rewards of a subject.

import { ApiError, getAll } from "../lib/api";
import type { TierProgress } from "./bodies";
import type { Subject } from "./subject";

/** The rows, or why there are none: sums are worth showing where tiers cannot be read. */
export async function readProgress(subject: Subject, query: { period?: string } = {}): Promise<{ rows: TierProgress[]; problem: string }> {
  try {
    return { rows: await getAll<TierProgress>(`${subject.api}/progress`, query), problem: "" };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { rows: [], problem: error.message };
  }
}

// What cases reach of the policies that a change brings.

import type { Schemas } from "./api";

export type Coverage = Schemas["PolicyCoverage"];

/** The coverage of a preview; null where the change has no policy. */
export function coverageOf(preview: Schemas["ChangePreview"]): Coverage | null {
  const { coverage } = preview;
  return coverage && coverage.policies.length > 0 ? coverage : null;
}

/** `[2, 3, 5]` as the ranges 2 to 3 and 5 to 5. */
export function lineRanges(lines: number[]): [first: number, last: number][] {
  const ranges: [number, number][] = [];
  for (const line of lines.toSorted((left, right) => left - right)) {
    const last = ranges.at(-1);
    if (last && line <= last[1] + 1) last[1] = line;
    else ranges.push([line, line]);
  }
  return ranges;
}

/** How many lines of the changed policies no case reaches. */
export const unreachedCount = (coverage: Coverage | null): number => coverage?.policies.reduce((sum, one) => sum + one.unreached.length, 0) ?? 0;

import { describe, expect, it } from "vitest";
import type { Schemas } from "./api";
import { coverageOf, lineRanges, unreachedCount } from "./coverage";

describe("coverage", () => {
  it("puts neighbouring lines together", () => {
    expect(lineRanges([7, 2, 3, 4])).toEqual([[2, 4], [7, 7]]);
    expect(lineRanges([])).toEqual([]);
  });

  it("is nothing where the preview has none, or no policy changes", () => {
    const of = (coverage?: unknown) => coverageOf({ coverage } as unknown as Schemas["ChangePreview"]);
    expect(of()).toBeNull();
    expect(of(null)).toBeNull();
    expect(of({ cases: 3, complete: true, policies: [] })).toBeNull();
    expect(of({ cases: 0, complete: true, policies: [{ path: "p", lines: 3, covered: 1, unreached: [2, 3] }] })?.cases).toBe(0);
  });

  it("counts the lines that no case reaches", () => {
    const policy = (path: string, unreached: number[]) => ({ path, lines: 9, covered: 9 - unreached.length, unreached });
    expect(unreachedCount({ cases: 1, complete: true, policies: [policy("a", [2]), policy("b", [4, 5])] })).toBe(3);
    expect(unreachedCount(null)).toBe(0);
  });
});

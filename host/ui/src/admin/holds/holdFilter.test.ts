import { describe, expect, it } from "vitest";
import { fitting, givenFilters, type HoldFilter } from "./holdFilter";

const credit = (plan: string, period: string, payee: string | null, credit_type: string) =>
  ({ plan, period, payee, credit_type, position: "AE-1", reason_code: null, transaction: "D-1" });
const credits = [credit("ae", "2026-01", "ann", "booking"), credit("ae", "2026-02", "bob", "overlay"), credit("se", "2026-04", null, "booking")];
const monthsOf = (period: string) => (period === "2026-Q1" ? ["2026-01", "2026-02", "2026-03"] : []);

describe("a filter of holds", () => {
  it.each<[HoldFilter, number]>([
    [{}, 3],
    [{ plan: "ae" }, 2],
    [{ plan: "ae", payee: "ANN" }, 1],
    [{ period: "2026-Q1" }, 2],
    [{ period: "2026-04", plan: "" }, 1],
    [{ reason_code: "Advance" }, 0],
  ])("%j takes %i", (filter, count) => {
    expect(fitting(credits, filter, monthsOf).length).toBe(count);
  });

  it("leaves out what says nothing", () => {
    expect(givenFilters({ plan: "ae", payee: "" })).toEqual({ plan: "ae" });
  });
});

import { describe, expect, it } from "vitest";
import { byCode, subjectOf, type Alert } from "./subject";

const alert = (parts: object) => ({ code: "unmatched", message: "m", stage: "crediting", transaction: null, ...parts }) as unknown as Alert;

describe("where an alert leads", () => {
  it.each<[string, object, string | null]>([
    ["a deal", { transaction: "D/1", plan: "ae" }, "/admin/deals/D%2F1"],
    ["a payee", { payee: "ann", period: "2026-01" }, "/admin/credits?payee=ann"],
    ["a calculation", { plan: "ae", period: "2026-01" }, "/admin/periods/2026-01/ae"],
    ["a period", { period: "2026-01" }, "/admin/periods/2026-01"],
    ["a dead letter", { code: "dead_letter", sequence: 5, source: "crm", delivery: "m1" }, "/admin/sources"],
    ["an enquiry", { code: "enquiry", payee: "ann", transaction: "D-1" }, "/admin/enquiries"],
    ["nothing", {}, null],
  ])("%s", (_, parts, href) => {
    expect(subjectOf(alert(parts)).href).toBe(href);
  });

  it("groups by code, the most frequent first", () => {
    const groups = byCode([alert({ code: "a" }), alert({ code: "b" }), alert({ code: "b" })]);
    expect(groups.map(([code, list]) => [code, list.length])).toEqual([["b", 2], ["a", 1]]);
  });
});

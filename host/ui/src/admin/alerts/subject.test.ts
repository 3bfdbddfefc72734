import { describe, expect, it } from "vitest";
import { assignees, byCode, fitsAssignee, NOBODY, subjectOf, type Alert } from "./subject";

const alert = (parts: object) => ({ code: "unmatched", message: "m", stage: "crediting", transaction: null, ...parts }) as unknown as Alert;

describe("where an alert leads", () => {
  it.each<[string, object, string | null]>([
    ["a deal", { transaction: "D/1", plan: "ae" }, "/admin/deals/D%2F1"],
    ["a payee", { payee: "ann", period: "2026-01" }, "/admin/credits?payee=ann"],
    ["a calculation", { plan: "ae", period: "2026-01" }, "/admin/periods/2026-01/ae"],
    ["a period", { period: "2026-01" }, "/admin/periods/2026-01"],
    ["a dead letter", { code: "dead_letter", sequence: 5, source: "crm", delivery: "m1" }, "/admin/sources"],
    ["an enquiry", { code: "enquiry", payee: "ann", transaction: "D-1" }, "/admin/enquiries"],
    ["one enquiry", { code: "enquiry", payee: "ann", transaction: "D-1", id: "enquiry-7" }, "/admin/enquiries/7"],
    ["nothing", {}, null],
  ])("%s", (_, parts, href) => {
    expect(subjectOf(alert(parts)).href).toBe(href);
  });

  it("groups by code, the most frequent first", () => {
    const groups = byCode([alert({ code: "a" }), alert({ code: "b" }), alert({ code: "b" })]);
    expect(groups.map(([code, list]) => [code, list.length])).toEqual([["b", 2], ["a", 1]]);
  });
});

describe("who takes care of an alert", () => {
  const [of, free] = [alert({ id: "1", assignee: "ida" }), alert({ id: "2", assignee: null })];

  it("is listed once", () => {
    expect(assignees([of, free, of])).toEqual(["ida"]);
  });

  it("narrows the list to a person, or to what nobody has", () => {
    expect([of, free].filter((one) => fitsAssignee(one, "ida"))).toEqual([of]);
    expect([of, free].filter((one) => fitsAssignee(one, NOBODY))).toEqual([free]);
    expect([of, free].filter((one) => fitsAssignee(one, null))).toEqual([of, free]);
  });
});

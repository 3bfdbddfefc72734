import { describe, expect, it } from "vitest";
import { describeRequest } from "./describe";

describe("a request that waits, in a sentence", () => {
  it.each<[object, string, string | null]>([
    [{ act: "adjust", subject: { credit: "crd_1" }, action: "adjust_to", amount: "92.50" }, "Set the amount of credit crd_1 to 92.50", "/admin/credits/crd_1"],
    [{ act: "adjust", subject: { transaction: "D/1" }, action: "adjust_by", amount: "-10" }, "Change the amount of deal D/1 by -10", "/admin/deals/D%2F1"],
    [{ act: "resolve", credit: "crd_1", action: "hold" }, "Hold credit crd_1", "/admin/credits/crd_1"],
    [{ act: "period", id: "2026-01", to: "finalize", force: false }, "Finalize period 2026-01", "/admin/periods/2026-01"],
    [{ act: "release_calculation", plan: "ae", period: "2026-01", what: "rewards" }, "Release the rewards of ae, 2026-01 to its payees", "/admin/periods/2026-01/ae"],
    [{ act: "access", subject: "key", name: "robot", change: { to: "grant", role: "author" } }, "Give the key “robot” the role author", "/admin/people"],
    [{ act: "access", subject: "person", name: "Ida", change: "odd" }, "Change what the person “Ida” may do", "/admin/people"],
    [{ act: "add_credit", subject: { new: { payee: "P09", amount: "80", plan: "ae", period: "2026-11" } } }, "Give P09 a credit of 80 in ae, 2026-11", null],
    [{ act: "add_reward", subject: { new: { payee: "P09", amount: "80", unit_type: "USD", plan: "ae", period: "2026-11" } } }, "Give P09 a reward of 80 USD in ae, 2026-11", null],
    [{ act: "add_credit", subject: { reversal: "crd_1" } }, "Take the credit crd_1 back", "/admin/credits/crd_1"],
    [{ act: "something_new" }, "something new", null],
  ])("%j", (request, sentence, href) => {
    expect(describeRequest(request)).toMatchObject({ sentence, href });
  });

  it("names the credit, so that its amount can be shown", () => {
    expect(describeRequest({ act: "resolve", credit: "crd/1", action: "hold" }).credit).toBe("crd/1");
    expect(describeRequest({ act: "void", transaction: "D-1" }).credit).toBeNull();
  });

  it("writes out what the sentence does not say", () => {
    const { facts } = describeRequest({ act: "release_holds", filter: { plan: "ae", payee: null }, transactions: ["a", "b"], force: true, comment: "" });
    expect(facts).toEqual([["plan", "ae"], ["transactions", "a, b"], ["force", "yes"]]);
  });
});

import { expect, test } from "vitest";
import { creditState, creditStory, originText, sentence, type ShownCredit } from "./explain";
import { ownSubject, reportSubject } from "./subject";

const credit = (more: Partial<ShownCredit>): ShownCredit => ({
  id: "crd_1", transaction: "D-1", incentive_date: "2026-03-05", rule: "Booking", kind: "direct", position: "AE-1",
  team: null, relationship: null, period: "2026-03", credit_type: "booking", unit_type: "USD", amount: "1250.00",
  status: "active", release_date: null, reason: null, reason_code: null, origin: "calculated", reverses: null,
  before_maximum: null, explain: "", plan: "sellers", confirmed: true, ...more,
});

/** What a story says, as a reader reads it. */
const told = (one: ShownCredit, subject = ownSubject): string => {
  const story = creditStory(one, subject.voice);
  return [story.why, ...story.amount, story.standing].join(" ");
};

test.each<[Partial<ShownCredit>, string[]]>([
  [{}, ["You were credited $1,250.00 because the deal belongs to you by the rule “Booking”.", "It counts in March 2026. The amount is confirmed."]],
  [{ confirmed: false }, ["The amount is pending"]],
  [{ team: "west" }, ["belongs to your team west"]],
  [{ kind: "indirect", relationship: "Reporting" }, ["credited to a person who reports to you"]],
  [{ kind: "indirect", relationship: "Overlay" }, ["the relationship “Overlay” leads from a person with this deal to you"]],
  [{ before_maximum: "2000.00" }, ["Before the maximum it was $2,000.00. The maximum of the plan cut it to $1,250.00."]],
  [{ status: "held", release_date: "2026-04-01", reason: "until 2026-04-01" }, ["Held until Apr 1, 2026 because"]],
  [{ status: "held", reason: "release_in_other_year" }, ["another fiscal year", "when a person releases it"]],
  [{ status: "held", reason: "policy_error" }, ["could not decide how long"]],
  [{ status: "held", reason: "customer disputes it" }, ["Held because of this: Customer disputes it. It counts when a person releases it."]],
  [{ status: "held", reason: "indefinite" }, ["Held without a date. It counts when"]],
  [{ status: "held" }, ["Held. It counts when a person releases it."]],
  [{ release_date: "2026-03-20" }, ["It was held until Mar 20, 2026. It counts"]],
  [{ status: "suppressed", reason: "duplicate_of:crd_22" }, ["another credit for the same deal counts"]],
  [{ status: "void" }, ["it was taken back"]],
  [{ origin: "manual", reason_code: "Split Correction" }, ["by hand. The reason given is “Split Correction”."]],
  [{ origin: "late" }, ["after its own period was finalized. It counts in March 2026."]],
  [{ origin: "retro" }, ["corrects a credit of a finalized period"]],
  [{ origin: "retro", reverses: "crd_9", amount: "-100.00" }, ["This entry of -$100.00 takes back an earlier credit"]],
])("a credit with %j is told in plain words", (more, parts) => {
  for (const part of parts) expect(told(credit(more))).toContain(part);
});

test("a manager reads the name of the person", () => {
  const told_ = told(credit({ team: "west" }), reportSubject("P07", "Ada Abbott"));
  expect(told_).toContain("Ada Abbott was credited $1,250.00 because the deal belongs to their team west");
});

test("a duplicate names the credit that counts", () => {
  expect(creditStory(credit({ status: "suppressed", reason: "duplicate_of:crd_22" }), ownSubject.voice).duplicateOf).toBe("crd_22");
  expect(creditStory(credit({ status: "held", reason: "duplicate_of:x" }), ownSubject.voice).duplicateOf).toBeNull();
});

test.each([
  [{}, "Confirmed", "Calculated"],
  [{ confirmed: false }, "Pending", "Calculated"],
  [{ status: "held", origin: "late" }, "Held", "Late deal"],
  [{ status: "suppressed" }, "Duplicate", "Calculated"],
  [{ status: "void", origin: "retro", reverses: "crd_9" }, "Taken back", "Taken back"],
] as [Partial<ShownCredit>, string, string][])("%j is %s", (more, state, origin) => {
  expect([creditState(credit(more)).text, originText(credit(more))]).toEqual([state, origin]);
});

test.each([["the plan does not take this deal", "The plan does not take this deal."], ["Why?", "Why?"], ["", ""]])("“%s” as a sentence", (message, text) => {
  expect(sentence(message)).toBe(text);
});

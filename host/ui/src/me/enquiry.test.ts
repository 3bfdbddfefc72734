import { expect, test } from "vitest";
import { conversation, draftProblems, enquiryAge, enquiryState, isWaiting, lastSaid, requestOf, typedAmount, type Draft, type Enquiry } from "./enquiry";

const enquiry = (more: Partial<Enquiry> = {}): Enquiry => ({
  id: 3, payee: "ann", asked_by: "Ann", kind: "missing", transaction: "D-7", credit: null, actual: null, expected: null,
  explain: null, text: "Where is D-7?", at_ms: 1_000, state: "open", answer: null, assignee: null, messages: [], ...more,
});
const draft = (more: Partial<Draft> = {}): Draft => ({ kind: "incorrect", transaction: "", credit: "", expected: "", text: "Why?", ...more });

test("a conversation is in the order of time", () => {
  const one = enquiry({
    messages: [{ who: "ida", at_ms: 3_000, text: "Which month?", by_payee: false }, { who: "ann", at_ms: 9_000, text: "Thanks.", by_payee: true }],
    answer: { who: "ida", at_ms: 5_000, text: "It is credited now." },
  });
  expect(conversation(one).map((said) => [said.what, said.who, said.byPayee])).toEqual([
    ["question", "Ann", true], ["message", "ida", false], ["answer", "ida", false], ["message", "ann", true],
  ]);
  expect(lastSaid(one).text).toBe("Thanks.");
  expect(conversation(enquiry({ asked_by: null }))[0]?.who).toBe("ann");
});

test.each([
  ["open", "Open", true], ["in_progress", "In progress", true], ["resolved", "Resolved", false],
  ["rejected", "Rejected", false], ["closed", "Closed", false], ["new_word", "new_word", false],
])("an enquiry that is %s", (state, text, waiting) => {
  expect([enquiryState(state).text, isWaiting({ state })]).toEqual([text, waiting]);
});

test("its age is never below zero", () => {
  expect([enquiryAge(enquiry(), 62_500), enquiryAge(enquiry(), 0)]).toEqual([61, 0]);
});

test.each([
  ["1250.00", "1250.00"], [" 1,250.00 ", "1250.00"], ["1 250", "1250"], ["-5", "-5"],
  ["1250,00", null], ["1,25", null], ["12,3456", null], ["", null], ["$5", null],
])("“%s” is the amount %s", (typed, amount) => {
  expect(typedAmount(typed)).toBe(amount);
});

test.each<[Partial<Draft>, string[]]>([
  [{}, []],
  [{ text: "  " }, ["text"]],
  [{ text: "x".repeat(4001) }, ["text"]],
  [{ expected: "12,5" }, ["expected"]],
  [{ kind: "missing" }, ["transaction"]],
  [{ kind: "missing", transaction: "D-7" }, []],
])("%j lacks %j", (more, fields) => {
  expect(Object.keys(draftProblems(draft(more)))).toEqual(fields);
});

test("what is empty is not sent", () => {
  expect(requestOf(draft({ transaction: " D-7 ", expected: "1,000.50" }))).toEqual({
    kind: "incorrect", text: "Why?", transaction: "D-7", credit: null, expected: "1000.50",
  });
});

import { expect, test } from "vitest";
import { type CreditNode, creditTrees, type PostedCredit, receiverOf } from "./credit-tree";

const credit = (id: string, position: string, rest: Partial<PostedCredit> = {}): PostedCredit =>
  ({ id, position, payee: position, rule: "Deal", result: "R", source: null, level: null, via: null, relationship: null, ...rest }) as PostedCredit;
const indirect = (id: string, position: string, source: string, level: number, relationship = "Reporting", via = "AE") =>
  credit(id, position, { source, level, relationship, via, rule: relationship });

const drawn = (nodes: CreditNode[]): unknown[] => nodes.map((node) => (node.rolled.length > 0 ? [node.credit.position, drawn(node.rolled)] : node.credit.position));

const cases: [name: string, credits: PostedCredit[], expected: unknown[]][] = [
  ["nothing", [], []],
  ["a chain of managers", [credit("1", "AE"), indirect("3", "DIR", "1", 2), indirect("2", "MGR", "1", 1), indirect("4", "VP", "1", 3)], [["AE", [["MGR", [["DIR", ["VP"]]]]]]]],
  ["a level without a credit", [credit("1", "AE"), indirect("2", "MGR", "1", 1), indirect("4", "VP", "1", 3)], [["AE", [["MGR", ["VP"]]]]]],
  ["two relationships", [credit("1", "AE"), indirect("2", "MGR", "1", 1), indirect("3", "SE", "1", 1, "Overlay")], [["AE", ["MGR", "SE"]]]],
  ["two sellers with one manager", [credit("1", "AE"), credit("2", "BE"), indirect("3", "MGR", "1", 1), indirect("4", "MGR", "2", 1, "Reporting", "BE")], [["AE", ["MGR"]], ["BE", ["MGR"]]]],
];

test.each(cases)("%s", (_, credits, expected) => {
  expect(drawn(creditTrees(credits))).toEqual(expected);
});

test("a receiver is named by what there is", () => {
  expect(receiverOf(credit("1", "AE", { payee: "P1" }))).toBe("P1 (AE)");
  expect(receiverOf(credit("1", "AE", { payee: null }))).toBe("AE");
  expect(receiverOf(credit("1", "AE", { payee: null, position: null, team: "North" }))).toBe("North");
});

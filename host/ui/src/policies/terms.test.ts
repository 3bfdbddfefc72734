import { expect, test } from "vitest";
import { bodyOf, meaningOf, noTerms, problemsOf, type Terms } from "./terms";

test.each<[string, Partial<Terms>, object, string[]]>([
  ["nothing is said", {}, { effective: "now", comment: null, tags: [], max_total: null, max_payee: null, force: null }, []],
  ["a day", { choice: "from", from: "2026-03-01" }, { effective: "from:2026-03-01" }, []],
  ["a day that is missing", { choice: "from" }, { effective: "from:" }, ["from"]],
  ["words and limits", { tags: " a, b ,,c", comment: " why ", maxTotal: "100.00", maxPayee: "5" }, { tags: ["a", "b", "c"], comment: "why", max_total: "100.00", max_payee: "5" }, []],
  ["limits that are none", { maxTotal: "1,000", maxPayee: "-1" }, {}, ["maxTotal", "maxPayee"]],
])("%s", (_, terms, body, problems) => {
  const all = { ...noTerms(), ...terms };
  expect(bodyOf(all)).toMatchObject(body);
  expect(Object.keys(problemsOf(all))).toEqual(problems);
});

test("the meaning names the day", () => {
  expect(meaningOf("from:2026-03-01", (day) => `<${day}>`)).toContain("<2026-03-01>");
});

import { expect, test } from "vitest";
import type { Schemas } from "../lib/api";
import { compareStandings, isBehind, levelName, levelsOf, placesOf, riskOf, standingOf, teamSums, unknownStanding, type Report } from "./standing";

const report = (payee: string, level = 1): Report => ({ payee, name: payee.toUpperCase(), position: `POS-${payee}`, level });
type Reward = Schemas["EarnedReward"];
const reward = (more: Partial<Reward>): Reward => ({
  id: "rwd", plan: "sellers", period: "2026-01", reward: "Commission", team: null, credit_type: "booking", credited: "60",
  credited_unit_type: "USD", quota: "100", attainment: "0.6000", amount: "6.10", unit_type: "USD", origin: "calculated",
  corrects: null, credits: [], payee: "ann", ...more,
});
const statement = (rewards: Reward[], credited: string): Schemas["Statement"] => ({
  plan: "sellers", period: "2026-01", status: "pending", revision: 1, released: "2026-02-01", credits: [], team_credits: [],
  totals: [{ credit_type: "booking", unit_type: "USD", amount: credited }], rewards,
});
const person = (payee: string, attainment: string | null, level = 1, passed = 0.5) =>
  standingOf(report(payee, level), [statement([reward({ attainment, quota: attainment === null ? null : "100" })], "60.10")], passed);

test.each([
  // Half of the period has passed.
  ["0.4999", 0.5, "at risk"], ["0.5000", 0.5, "on track"], ["0.9999", 0.5, "on track"], ["1.0000", 0.5, "reached"], ["1.8", 1, "reached"],
  // A third is not written exactly; four decimals are what the attainment has.
  ["0.3333", 1 / 3, "on track"], ["0.3332", 1 / 3, "at risk"],
  ["0.9999", 1, "missed"], ["-0.1000", 0.01, "at risk"], ["0.0000", 0, "on track"],
  [null, 0.5, "no quota"], ["0.1000", null, "on track"],
] as const)("an attainment of %s when %s has passed: %s", (attainment, passed, risk) => {
  expect(riskOf(attainment, passed)).toBe(risk);
});

test("a standing has the sums of all statements and the largest quota", () => {
  const statements = [
    statement([reward({}), reward({ reward: "Draw", origin: "draw", quota: null, attainment: null, amount: "-1.10" })], "60.10"),
    statement([reward({ plan: "bonus", reward: "Bonus", quota: "1000", attainment: "0.9", amount: "0.01" })], "0.20"),
  ];
  const one = standingOf(report("ann"), statements, 0.5);
  expect([one.credited, one.earned, one.paid].map((sums) => sums[0]?.amount)).toEqual(["60.30", "6.11", "5.01"]);
  expect([one.goal?.reward, one.risk, isBehind(one)]).toEqual(["Bonus", "on track", false]);
});

test("the ranking is by attainment, and equals share a place", () => {
  const people = [person("cy", "0.2"), person("bo", null), person("al", "1.10"), person("ed", "0.2000"), person("di", "0.10"), person("ab", null)];
  expect(people.toSorted(compareStandings).map((one) => one.report.payee)).toEqual(["al", "cy", "ed", "di", "ab", "bo"]);
  expect(Object.fromEntries(placesOf(people))).toEqual({ al: 1, cy: 2, ed: 2, di: 4 });
});

test("levels have exact sums of their own", () => {
  const people = [person("al", "1.10", 2), person("bo", "0.2", 1), person("cy", null, 2), unknownStanding(report("di", 3), "refused")];
  const levels = levelsOf(people);
  expect(levels.map((one) => [one.level, one.standings.map((of) => of.report.payee), one.sums.behind])).toEqual([[1, ["bo"], 1], [2, ["al", "cy"], 0], [3, ["di"], 0]]);
  expect(teamSums(people)).toMatchObject({ people: 4, behind: 1, withQuota: 2, credited: [{ unit: "USD", amount: "180.30" }] });
  expect([levelName(1), levelName(2)]).toEqual(["Reports to you", "2 levels below you"]);
});

// Where the people of a manager are in a period: their sums, who is at risk, the ranking.

import type { Schemas } from "../lib/api";
import { compareAmounts } from "../lib/amounts";
import { goalsOf, mainGoal, type Goal } from "../me/progress";
import { isEarned, sumsByUnit, type UnitSum } from "../me/totals";

export type Report = Schemas["Report"];
type Statement = Schemas["Statement"];

/** How a person is doing against the quota. */
export type Risk = "reached" | "on track" | "at risk" | "missed" | "no quota";

export type Standing = {
  report: Report;
  credited: UnitSum[];
  earned: UnitSum[];
  paid: UnitSum[];
  /** The reward with the largest quota; undefined without a quota. */
  goal: Goal | undefined;
  risk: Risk;
  /** Why nothing is known of the person, if the server refused. */
  problem: string;
};

/**
 * The rule of the screen: at risk is who has attained a smaller part of the quota than the part of the
 * period that has passed. Once the period is over, who is below the quota has missed it.
 *
 * @param passed from 0 to 1; null for a period without an end, in which nobody is at risk.
 */
export function riskOf(attainment: string | null | undefined, passed: number | null): Risk {
  if (attainment === null || attainment === undefined) return "no quota";
  if (compareAmounts(attainment, "1") >= 0) return "reached";
  if (passed === null) return "on track";
  if (passed >= 1) return "missed";
  return compareAmounts(attainment, passed.toFixed(4)) < 0 ? "at risk" : "on track";
}

export const isBehind = (standing: Standing): boolean => standing.risk === "at risk" || standing.risk === "missed";

/** The standing of a person by the statements of the period. */
export function standingOf(report: Report, statements: Statement[], passed: number | null): Standing {
  const rewards = statements.flatMap((one) => one.rewards.map((row) => ({ ...row, confirmed: one.status === "confirmed" })));
  const goal = mainGoal(goalsOf([], rewards));
  const sums = (rows: { unit_type: string; amount: string }[]) => sumsByUnit(rows.map((row) => ({ unit: row.unit_type, amount: row.amount })));
  return {
    report,
    credited: sums(statements.flatMap((one) => one.totals)),
    earned: sums(rewards.filter(isEarned)),
    paid: sums(rewards),
    goal,
    risk: riskOf(goal?.attainment, passed),
    problem: "",
  };
}

/** A person whose statements could not be read. */
export const unknownStanding = (report: Report, problem: string): Standing => ({
  report, credited: [], earned: [], paid: [], goal: undefined, risk: "no quota", problem,
});

/** By attainment, the highest first; people without a quota come last, by name. */
export function compareStandings(left: Standing, right: Standing): number {
  const [a, b] = [left.goal?.attainment, right.goal?.attainment];
  if (a && b) return compareAmounts(b, a) || left.report.name.localeCompare(right.report.name);
  if (a || b) return a ? -1 : 1;
  return left.report.name.localeCompare(right.report.name);
}

/** The place of each person; people with one attainment share a place. Without a quota there is none. */
export function placesOf(standings: Standing[]): Map<string, number> {
  const places = new Map<string, number>();
  const ranked = standings.filter((one) => one.goal?.attainment).toSorted(compareStandings);
  ranked.forEach((one, at) => {
    const before = ranked[at - 1];
    const isTied = before && compareAmounts(before.goal!.attainment!, one.goal!.attainment!) === 0;
    places.set(one.report.payee, isTied ? places.get(before.report.payee)! : at + 1);
  });
  return places;
}

export type TeamSums = { people: number; behind: number; withQuota: number; credited: UnitSum[]; earned: UnitSum[]; paid: UnitSum[] };

export function teamSums(standings: Standing[]): TeamSums {
  return {
    people: standings.length,
    behind: standings.filter(isBehind).length,
    withQuota: standings.filter((one) => one.goal).length,
    credited: sumsByUnit(standings.flatMap((one) => one.credited)),
    earned: sumsByUnit(standings.flatMap((one) => one.earned)),
    paid: sumsByUnit(standings.flatMap((one) => one.paid)),
  };
}

export type Level = { level: number; standings: Standing[]; sums: TeamSums };

/** People by how far below the manager they are. */
export function levelsOf(standings: Standing[]): Level[] {
  const levels = [...new Set(standings.map((one) => one.report.level))].toSorted((a, b) => a - b);
  return levels.map((level) => {
    const at = standings.filter((one) => one.report.level === level).toSorted(compareStandings);
    return { level, standings: at, sums: teamSums(at) };
  });
}

export const levelName = (level: number): string => (level === 1 ? "Reports to you" : `${level} levels below you`);

// The organization on a day from its CSV files, for a server that has no /v1/organization.

import { csvRecords } from "../csv";
import type { ChartPerson, OrganizationChart } from "../pending-types";

export type ChartFiles = { participants: string; positions: string; assignments: string; relationships: string; teams: string; members: string };
type Row = Record<string, string>;

const orNull = (text: string | undefined) => (text ? text : null);
const span = (row: Row) => ({ from: orNull(row.from), to: orNull(row.to) });
const same = (left: string | undefined, right: string | undefined) => (left ?? "").toLowerCase() === (right ?? "").toLowerCase();

/** Whether a row with `from` and `to`, both included, holds on a day. */
export const holdsOn = (row: Row, on: string): boolean => (!row.from || row.from <= on) && (!row.to || row.to >= on);

/** The day after, since a row changes things on the day after its last one. */
export function dayAfter(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + 1);
  return at.toISOString().slice(0, 10);
}

function changeDays(rows: Row[]): string[] {
  const isDay = (text: string | undefined): text is string => /^\d{4}-\d{2}-\d{2}$/.test(text ?? "");
  const days = rows.flatMap((row) => [row.from, isDay(row.to) ? dayAfter(row.to) : undefined].filter(isDay));
  return [...new Set(days)].toSorted();
}

export function chartOf(files: ChartFiles, on: string): OrganizationChart {
  const [participants, assignments] = [csvRecords(files.participants), csvRecords(files.assignments)];
  const [teams, members, relationships] = [csvRecords(files.teams), csvRecords(files.members), csvRecords(files.relationships)];
  const isOwnPosition = files.positions.trim() === "";
  const positions = isOwnPosition ? participants : csvRecords(files.positions);
  const people = participants.filter((row) => holdsOn(row, on));
  const personOf = (id: string | undefined, row: Row): ChartPerson => {
    const known = participants.findLast((one) => same(one.id, id));
    return { payee: known?.id ?? id ?? "", name: known?.name || (id ?? ""), ...span(row) };
  };

  const held = isOwnPosition ? people.map((row) => ({ ...row, position: row.id ?? "", participant: row.id ?? "" }) as Row) : assignments.filter((row) => holdsOn(row, on));
  return {
    on,
    changes: changeDays([...participants, ...positions, ...assignments, ...teams, ...members, ...relationships]),
    positions: positions
      .filter((row) => holdsOn(row, on))
      .map((row) => ({
        position: row.id ?? "",
        title: row.title ?? "",
        manager: orNull(row.manager),
        ...span(row),
        holders: held.filter((one) => same(one.position, row.id)).map((one) => personOf(one.participant, one)),
      })),
    without_position: people.filter((row) => !held.some((one) => same(one.participant, row.id))).map((row) => personOf(row.id, row)),
    teams: teams
      .filter((row) => holdsOn(row, on))
      .map((row) => ({
        team: row.id ?? "",
        name: row.name || (row.id ?? ""),
        parent: orNull(row.parent),
        manager: orNull(row.manager),
        members: members.filter((one) => same(one.team, row.id) && holdsOn(one, on)).map((one) => personOf(one.participant ?? one.member, one)),
      })),
    relationships: relationships.filter((row) => holdsOn(row, on)).map((row) => ({ type: row.type ?? "", source: row.source ?? "", target: row.target ?? "", ...span(row) })),
  };
}

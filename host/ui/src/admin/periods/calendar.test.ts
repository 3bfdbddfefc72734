import { describe, expect, it } from "vitest";
import { leavesOf, periodTree, type Node, type Span } from "./calendar";

const span = (id: string, first: string, last: string | null): Span => ({ id, first, last });
const year = span("2026", "2026-01-01", "2026-12-31");
const quarter = span("2026-Q1", "2026-01-01", "2026-03-31");
const months = [span("2026-01", "2026-01-01", "2026-01-31"), span("2026-02", "2026-02-01", "2026-02-28"), span("2026-04", "2026-04-01", "2026-04-30")];

const shape = (nodes: Node<Span>[]): unknown[] => nodes.map((node) => (node.inside.length > 0 ? [node.period.id, shape(node.inside)] : node.period.id));

describe("periods in periods", () => {
  it.each<[string, Span[], unknown[]]>([
    ["months alone", months, ["2026-01", "2026-02", "2026-04"]],
    ["months in a quarter in a year", [...months, quarter, year], [["2026", [["2026-Q1", ["2026-01", "2026-02"]], "2026-04"]]]],
    ["one without an end", [span("x", "2026-01-01", null), quarter], [["x", ["2026-Q1"]]]],
    ["none", [], []],
  ])("%s", (_, periods, expected) => {
    expect(shape(periodTree(periods))).toEqual(expected);
  });

  it("has the months as leaves", () => {
    expect(leavesOf(periodTree([...months, quarter, year])).map((one) => one.id)).toEqual(["2026-01", "2026-02", "2026-04"]);
  });
});

import { describe, expect, it } from "vitest";
import type { ChartPosition } from "../bodies";
import { aboveMatches, buildTree, countOf, rowsInSight, type TreeNode } from "./tree";

const position = (id: string, manager: string | null, name = ""): ChartPosition => ({
  position: id, title: "Seller", manager, from: null, to: null, quotas: [], holders: name ? [{ payee: name.toLowerCase(), name, from: null, to: null }] : [],
});
const shape = (nodes: TreeNode[]): unknown[] => nodes.map((node) => (node.reports.length > 0 ? [node.position.position, shape(node.reports)] : node.position.position));

describe("whom positions report to", () => {
  it.each<[string, [string, string | null][], unknown[]]>([
    ["a chain", [["VP", null], ["M", "VP"], ["S", "m"]], [["VP", [["M", ["S"]]]]]],
    ["a manager who is not there", [["S", "GONE"]], ["S"]],
    ["a circle is cut at its first position", [["A", "B"], ["B", "C"], ["C", "A"], ["D", "C"]], [["A", [["C", [ "B", "D"]]]]]],
    ["its own manager", [["A", "A"]], ["A"]],
    ["none", [], []],
  ])("%s", (name, rows, expected) => {
    const tree = buildTree(rows.map(([id, manager]) => position(id, manager)));
    // Each position is in the tree once, whatever the circle is.
    expect(tree.length + tree.reduce((sum, node) => sum + countOf(node), 0)).toBe(rows.length);
    if (!name.startsWith("a circle")) expect(shape(tree)).toEqual(expected);
    else expect(tree.map((node) => node.position.position)).toEqual(["A"]);
  });
});

describe("rows in sight", () => {
  const tree = buildTree([position("VP", null), position("M1", "VP"), position("M2", "VP"), position("S", "M2", "Ann")]);

  it("closed nodes hide what is below", () => {
    expect(rowsInSight(tree, new Set()).map((row) => row.node.position.position)).toEqual(["VP"]);
    expect(rowsInSight(tree, new Set(["VP"])).map((row) => [row.node.position.position, row.level, row.at, row.of])).toEqual([["VP", 1, 1, 1], ["M1", 2, 1, 2], ["M2", 2, 2, 2]]);
  });

  it("a search opens what is above a match", () => {
    expect([...aboveMatches(tree, ["ann"])].toSorted()).toEqual(["M2", "VP"]);
    expect(aboveMatches(tree, ["nobody"]).size).toBe(0);
  });
});

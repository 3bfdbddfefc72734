import { expect, test } from "vitest";
import { Lineage } from "./lineage";

const node = (id: string) => ({ id, kind: id.split(":")[0] ?? "", name: id.split(":")[1] ?? "", file: null, line: null, plan: null });
const lineage = new Lineage({
  nodes: ["column:amount", "policy:half", "rule:deal", "reward:pay", "credit_type:booking"].map(node),
  edges: [
    { from: "column:amount", to: "policy:half", why: "reads" },
    { from: "policy:half", to: "rule:deal", why: "value" },
    { from: "policy:half", to: "rule:deal", why: "hold" },
    { from: "rule:deal", to: "credit_type:booking", why: "credits" },
    { from: "credit_type:booking", to: "reward:pay", why: "is counted" },
    { from: "reward:pay", to: "policy:half", why: "earned" },
    { from: "column:gone", to: "policy:half", why: "reads" },
  ],
});

test("both directions, with all reasons of a step", () => {
  expect(lineage.steps("reads", "rule:deal").map((one) => [one.node.id, one.why])).toEqual([["policy:half", "value, hold"]]);
  expect(lineage.steps("reads", "policy:half").map((one) => one.node.id)).toEqual(["column:amount", "reward:pay"]);
  expect(lineage.steps("feeds", "column:amount").map((one) => one.node.id)).toEqual(["policy:half"]);
});

test("a circle ends", () => {
  expect(lineage.steps("feeds", "reward:pay", ["policy:half", "reward:pay"])).toEqual([]);
  expect(lineage.reach("feeds", "column:amount")).toBe(4);
  expect(lineage.reach("reads", "column:amount")).toBe(0);
});

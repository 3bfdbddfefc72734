import { describe, expect, it } from "vitest";
import { chartOf, dayAfter } from "./csvChart";

const files = {
  participants: "id,name\nann,Ann Lee\nbob,Bob Ray\nzoe,Zoe\n",
  positions: "id,title,manager,from,to\nVP,VP,,,\nAE-1,Seller,VP,,2026-03-31\nAE-1,Senior seller,VP,2026-04-01,\n",
  assignments: "position,participant,from,to\nVP,zoe,,\nAE-1,ann,,2026-02-28\nAE-1,Bob,2026-03-01,\n",
  relationships: "type,source,target\nOverlay,AE-1,VP\n",
  teams: "",
  members: "",
};

describe("the organization on a day", () => {
  it.each([
    ["2026-01-15", "Seller", ["Ann Lee"], ["Bob Ray"]],
    ["2026-02-28", "Seller", ["Ann Lee"], ["Bob Ray"]],
    ["2026-03-31", "Seller", ["Bob Ray"], ["Ann Lee"]],
    ["2026-03-15", "Seller", ["Bob Ray"], ["Ann Lee"]],
    ["2026-04-01", "Senior seller", ["Bob Ray"], ["Ann Lee"]],
  ])("%s", (on, title, holders, without) => {
    const chart = chartOf(files, on);
    const seller = chart.positions.find((one) => one.position === "AE-1");
    expect([seller?.title, seller?.holders.map((one) => one.name)]).toEqual([title, holders]);
    expect(chart.without_position.map((one) => one.name)).toEqual(without);
    expect(chart.positions.length).toBe(2);
  });

  it("changes on first days and on the day after the last", () => {
    expect(chartOf(files, "2026-01-01").changes).toEqual(["2026-03-01", "2026-04-01"]);
    expect(dayAfter("2026-12-31")).toBe("2027-01-01");
  });

  it("gives each person a position where there is no file of positions", () => {
    const own = chartOf({ ...files, positions: "", assignments: "", participants: "id,name,title,manager\nann,Ann,Seller,zoe\nzoe,Zoe,Manager,\n" }, "2026-01-01");
    expect(own.positions.map((one) => [one.position, one.manager, one.holders[0]?.name])).toEqual([["ann", "zoe", "Ann"], ["zoe", null, "Zoe"]]);
    expect(own.without_position).toEqual([]);
  });
});

import { expect, test } from "vitest";
import { todayText } from "../lib/format";
import { axisNames, daysLeft, offeredPeriods, periodName, shownPeriod, timePassed, type OwnPeriod } from "./periods";

const month = (id: string, plans: string[] = ["sellers"]): OwnPeriod => {
  const [year, number] = id.split("-").map(Number) as [number, number];
  const last = new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
  return { id, first: `${id}-01`, last, plans };
};
const year: OwnPeriod = { id: "2026", first: "2026-01-01", last: "2026-12-31", plans: ["bonus"] };

test.each([
  // Named by the address, even where nothing is published.
  ["2026-01", "2026-03-10", [month("2026-01"), month("2026-03", [])], "2026-01"],
  ["2019-01", "2026-03-10", [month("2026-01"), month("2026-03")], "2026-03"],
  // The one that goes on waits until something of it is published.
  [null, "2026-03-10", [month("2026-01"), month("2026-02"), month("2026-03", [])], "2026-02"],
  [null, "2026-03-10", [month("2026-03", [])], "2026-03"],
  // A month before the year that holds it.
  [null, "2026-03-10", [year, month("2026-03")], "2026-03"],
  [null, "2026-01-10", [year, month("2026-01")], "2026-01"],
  // What begins later is shown only on demand.
  [null, "2026-03-10", [month("2026-02"), month("2026-04")], "2026-02"],
  [null, "2026-03-10", [], undefined],
])("the address names %s, today is %s", (named, today, periods, shown) => {
  expect(shownPeriod(periods, named, today)?.id).toBe(shown);
});

test("this period and the twelve before it are offered", () => {
  const all = Array.from({ length: 20 }, (_, at) => month(`${2025 + Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, "0")}`));
  const offered = offeredPeriods(all).map((period) => period.id);
  expect(offered).toHaveLength(13);
  expect([offered[0], offered[12]]).toEqual(["2026-08", "2025-08"]);
});

test.each([
  ["2026-02-01", 1 / 28, 27],
  ["2026-02-14", 0.5, 14],
  ["2026-02-28", 1, 0],
  ["2026-03-05", 1, 0],
  ["2026-01-05", 0, 54],
])("on %s the part %d of February has passed", (today, part, left) => {
  expect(timePassed(month("2026-02"), today)).toBeCloseTo(part);
  expect(daysLeft(month("2026-02"), today)).toBe(left);
});

test("a period without an end has no part that has passed", () => {
  expect(timePassed({ ...year, last: null }, "2026-05-01")).toBeNull();
});

test.each([["2026-03", "March 2026"], ["2026-13", "2026-13"], ["2026-Q1", "2026-Q1"], ["FY26-P03", "FY26-P03"]])("%s is called %s", (id, name) => {
  expect(periodName(id, "en")).toBe(name);
});

test("today is the day of the reader's clock", () => {
  expect(todayText(new Date(2026, 2, 5, 23, 59))).toBe("2026-03-05");
});

test("two months of one name are told apart by the year", () => {
  expect(axisNames(["2025-11", "2025-12", "2026-01", "2026-11", "2026-Q1"], "en")).toEqual(["Nov 25", "Dec", "Jan 26", "Nov", "2026-Q1"]);
});

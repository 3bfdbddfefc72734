import { describe, expect, it } from "vitest";
import { isMonth, monthGrid, monthName, shiftMonth, weekdayNames } from "./months";

describe("the weeks of a month", () => {
  it.each([
    ["2026-03", "2026-02-23", "2026-04-05", 6, 31],
    ["2026-02", "2026-01-26", "2026-03-01", 5, 28],
    ["2024-02", "2024-01-29", "2024-03-03", 5, 29],
    ["2021-02", "2021-02-01", "2021-02-28", 4, 28],
    ["2026-12", "2026-11-30", "2027-01-03", 5, 31],
  ])("%s", (month, first, last, weeks, days) => {
    const grid = monthGrid(month);
    expect(grid.length).toBe(weeks);
    expect(grid[0]?.[0]?.day).toBe(first);
    expect(grid.at(-1)?.at(-1)?.day).toBe(last);
    expect(grid.flat().filter((day) => day.isInMonth).length).toBe(days);
  });
});

it.each([
  ["2026-01", -1, "2025-12"],
  ["2026-12", 1, "2027-01"],
  ["2026-05", 14, "2027-07"],
])("%s and %i months", (month, by, expected) => {
  expect(shiftMonth(month, by)).toBe(expected);
});

it("names months and days", () => {
  expect(monthName("2026-03", "en")).toBe("March 2026");
  expect(weekdayNames("en")).toEqual(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
  expect([isMonth("2026-13"), isMonth("2026-09"), isMonth(null)]).toEqual([false, true, false]);
});

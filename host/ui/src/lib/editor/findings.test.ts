import { expect, test } from "vitest";
import { columnOfOffset, offsetOfColumn, readFindings, sortFindings } from "./findings";

// A column counts characters; a character outside the first plane has two units.
test.each([
  ["let a", 5, 4],
  ["`😀` + a", 7, 7],
  ["é + a", 5, 4],
  ["ab", 9, 2],
])("a column of %s", (line, column, offset) => {
  expect(offsetOfColumn(line, column)).toBe(offset);
  if (column <= [...line].length) expect(columnOfOffset(line, offset)).toBe(column);
});

test("findings are read with a range and without, errors first", () => {
  const found = readFindings([
    { code: "CR100", severity: "hint", message: "m", help: null, file: "b", range: { start: { line: 2, column: 3 }, end: { line: 2, column: 9 } } },
    { code: "CR002", severity: "error", message: "n", file: "c", line: 7, column: 1 },
  ]);
  expect(sortFindings(found).map((one) => [one.code, one.line, one.column, one.endColumn])).toEqual([["CR002", 7, 1, 1], ["CR100", 2, 3, 9]]);
  expect(readFindings(undefined)).toEqual([]);
});

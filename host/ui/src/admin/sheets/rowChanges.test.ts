import { describe, expect, it } from "vitest";
import { parseCsv } from "../csv";
import { changeSentence, compareRows } from "./rowChanges";

it("says it in a sentence", () => {
  expect(changeSentence({ added: 1, removed: 0, same: 12, missing: [] })).toBe("1 row new or changed, 0 rows removed or replaced, 12 rows as before.");
});

describe("rows that another version changes", () => {
  it.each([
    ["the same", "a,b\n1,2\n", "a,b\n1,2\n", { added: 0, removed: 0, same: 1, missing: [] }],
    ["other order of rows and columns", "a,b\n1,2\n3,4\n", "b,a\n4,3\n2,1\n", { added: 0, removed: 0, same: 2, missing: [] }],
    ["a changed row", "a,b\n1,2\n", "a,b\n1,3\n", { added: 1, removed: 1, same: 0, missing: [] }],
    ["one of two same rows goes", "a\n1\n1\n", "a\n1\n", { added: 0, removed: 1, same: 1, missing: [] }],
    ["a column is missing", "a,b\n1,\n", "a\n1\n", { added: 0, removed: 0, same: 1, missing: ["b"] }],
    ["a first file", "", "a\n1\n", { added: 1, removed: 0, same: 0, missing: [] }],
  ])("%s", (_, before, after, expected) => {
    expect(compareRows(parseCsv(before), parseCsv(after))).toEqual(expected);
  });
});

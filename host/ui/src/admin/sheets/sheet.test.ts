import { describe, expect, it } from "vitest";
import { addRow, begin, change, pasteAt, redo, removeRow, setCell, undo } from "./sheet";

const rows = [["a", "1"], ["b"], []];

describe("edits of a sheet", () => {
  it.each<[string, string[][], string[][]]>([
    ["a cell", setCell(rows, 0, 1, "2", 2), [["a", "2"], ["b"], []]],
    ["a cell of a short row fills it", setCell(rows, 1, 1, "2", 3), [["a", "1"], ["b", "2", ""], []]],
    ["paste over cells", pasteAt(rows, 0, 0, [["x", "9"], ["y", "8"]], 2), [["x", "9"], ["y", "8"], []]],
    ["paste adds rows and leaves out columns beyond", pasteAt(rows, 2, 1, [["9", "lost"], ["8"]], 2), [["a", "1"], ["b"], ["", "9"], ["", "8"]]],
    ["a row below", addRow(rows, 0, 2), [["a", "1"], ["", ""], ["b"], []]],
    ["a row at the start", addRow(rows, -1, 1), [[""], ["a", "1"], ["b"], []]],
    ["without a row", removeRow(rows, 1), [["a", "1"], []]],
  ])("%s", (_, result, expected) => {
    expect(result).toEqual(expected);
    expect(rows).toEqual([["a", "1"], ["b"], []]);
  });

  it("the same text is no edit", () => {
    expect(setCell(rows, 0, 0, "a", 2)).toBe(rows);
  });
});

it("undoes and redoes", () => {
  let history = begin(rows);
  history = change(history, setCell(history.now, 0, 0, "z", 2));
  history = change(history, removeRow(history.now, 2));
  expect(history.now).toEqual([["z", "1"], ["b"]]);
  history = undo(undo(history));
  expect(history.now).toBe(rows);
  expect(undo(history)).toBe(history);
  history = redo(history);
  expect(history.now[0]).toEqual(["z", "1"]);
  history = change(history, removeRow(history.now, 0));
  expect(redo(history)).toBe(history);
});

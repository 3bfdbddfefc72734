// Edits of a sheet, each as a new list of rows, so that every one of them can be undone.

export type Rows = string[][];

export const cellAt = (rows: Rows, row: number, column: number): string => rows[row]?.[column] ?? "";

/** A row with as many cells as the sheet has columns; a row that is longer keeps what it has. */
const filled = (cells: string[], width: number): string[] => [...cells, ...Array<string>(Math.max(0, width - cells.length)).fill("")];

export function setCell(rows: Rows, row: number, column: number, text: string, width: number): Rows {
  if (cellAt(rows, row, column) === text) return rows;
  return rows.map((cells, at) => (at === row ? filled(cells, width).with(column, text) : cells));
}

/** Lays pasted cells over the sheet from a cell on; rows that are missing are added, columns beyond the last are left out. */
export function pasteAt(rows: Rows, row: number, column: number, pasted: Rows, width: number): Rows {
  const length = Math.max(rows.length, row + pasted.length);
  return Array.from({ length }, (_, at) => {
    const cells = rows[at] ?? [];
    const laid = at >= row ? pasted[at - row] : undefined;
    if (!laid) return cells;
    return filled(cells, width).map((cell, place) => (place >= column ? (laid[place - column] ?? cell) : cell));
  });
}

export const addRow = (rows: Rows, after: number, width: number): Rows => rows.toSpliced(after + 1, 0, filled([], width));
export const removeRow = (rows: Rows, row: number): Rows => rows.toSpliced(row, 1);

/** Rows before an edit and after an undo. */
export type History = { now: Rows; undone: Rows[]; done: Rows[] };

export const begin = (rows: Rows): History => ({ now: rows, undone: [], done: [] });
export const change = (history: History, now: Rows): History => (now === history.now ? history : { now, done: [...history.done.slice(-199), history.now], undone: [] });

export function undo(history: History): History {
  const before = history.done.at(-1);
  return before ? { now: before, done: history.done.slice(0, -1), undone: [...history.undone, history.now] } : history;
}
export function redo(history: History): History {
  const next = history.undone.at(-1);
  return next ? { now: next, undone: history.undone.slice(0, -1), done: [...history.done, history.now] } : history;
}

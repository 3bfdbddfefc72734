// CSV as text: read into rows, changed cell by cell, and written so that what was not touched stays byte for byte.

/** A table of text. The header is the first row; blank lines are kept as rows without cells. */
export type CsvTable = {
  header: string[];
  rows: string[][];
  delimiter: string;
  newline: "\n" | "\r\n";
  /** Whether the last line ends with a line break. */
  endsWithBreak: boolean;
  hasMark: boolean;
  /** The lines as they were written, beside the rows that they were read as. */
  written: { cells: string[]; text: string }[];
};

const MARK = "\ufeff";

/** The sign between cells: the one that the first line has most of, outside of quotes. */
export function guessDelimiter(text: string): string {
  const line = text.split(/\r?\n/, 1)[0]?.replaceAll(/"[^"]*"/g, "") ?? "";
  const counts = [",", ";", "\t"].map((sign) => ({ sign, count: line.split(sign).length - 1 }));
  const best = counts.reduce((left, right) => (right.count > left.count ? right : left));
  return best.count > 0 ? best.sign : ",";
}

type Line = { cells: string[]; text: string };

/** Lines with their cells; a quoted cell may hold the delimiter, quotes and line breaks. */
export function readLines(text: string, delimiter: string): Line[] {
  const lines: Line[] = [];
  let cells: string[] = [];
  let cell = "";
  let quoted = false;
  let start = 0;

  const endLine = (at: number) => {
    cells.push(cell);
    lines.push({ cells, text: text.slice(start, at) });
    [cells, cell] = [[], ""];
  };

  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] as string;
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') [cell, at] = [`${cell}"`, at + 1];
      else quoted = false;
    } else if (sign === '"' && cell === "") quoted = true;
    else if (sign === delimiter) [cells, cell] = [[...cells, cell], ""];
    else if (sign === "\n" || (sign === "\r" && text[at + 1] === "\n")) {
      endLine(at);
      if (sign === "\r") at += 1;
      start = at + 1;
    } else cell += sign;
  }
  if (start < text.length) endLine(text.length);
  return lines;
}

export function parseCsv(source: string): CsvTable {
  const hasMark = source.startsWith(MARK);
  const text = hasMark ? source.slice(1) : source;
  const delimiter = guessDelimiter(text);
  const lines = readLines(text, delimiter);
  const [first, ...others] = lines;
  return {
    header: (first?.cells ?? []).map((cell) => cell.trim()),
    rows: others.map((line) => (line.text === "" ? [] : [...line.cells])),
    delimiter,
    newline: text.includes("\r\n") ? "\r\n" : "\n",
    endsWithBreak: text === "" || text.endsWith("\n"),
    hasMark,
    written: lines,
  };
}

function quoted(cell: string, delimiter: string): string {
  const needsQuotes = cell.includes(delimiter) || /["\r\n]/.test(cell) || cell !== cell.trim();
  return needsQuotes ? `"${cell.replaceAll('"', '""')}"` : cell;
}

const sameCells = (left: string[], right: string[]): boolean =>
  left.length === right.length && left.every((cell, at) => cell === right[at]);

/** The text of a table. A row that is as it was read is written as it was written. */
export function printCsv(table: CsvTable): string {
  const [head, ...others] = table.written;
  const known = new Map<string, string>();
  const key = (cells: string[]) => JSON.stringify(cells);
  for (const line of others) if (!known.has(key(line.cells))) known.set(key(line.cells), line.text);

  const headUntouched = head !== undefined && sameCells(head.cells.map((cell) => cell.trim()), table.header);
  const printed = [headUntouched ? head.text : table.header.map((cell) => quoted(cell, table.delimiter)).join(table.delimiter)];
  table.rows.forEach((cells, at) => {
    const original = others[at];
    if (cells.length === 0) printed.push("");
    else if (original && sameCells(original.cells, cells)) printed.push(original.text);
    else printed.push(known.get(key(cells)) ?? cells.map((cell) => quoted(cell, table.delimiter)).join(table.delimiter));
  });

  const text = printed.join(table.newline);
  return (table.hasMark ? MARK : "") + (table.endsWithBreak && text !== "" ? text + table.newline : text);
}

/** Rows as maps by the header, blank lines left out. */
export function csvRecords(source: string): Record<string, string>[] {
  const table = parseCsv(source);
  return table.rows
    .filter((cells) => cells.some((cell) => cell.trim() !== ""))
    .map((cells) => Object.fromEntries(table.header.map((name, at) => [name, (cells[at] ?? "").trim()])));
}

/** Cells that were copied from a spreadsheet: tabs between cells, a line for each row. */
export function parsePasted(text: string): string[][] {
  const delimiter = text.includes("\t") ? "\t" : guessDelimiter(text);
  return readLines(text.replace(/\r?\n$/, ""), delimiter).map((line) => line.cells);
}

// Rows as CSV for a spreadsheet (RFC 4180).

/** A cell. A text that a spreadsheet would calculate gets an apostrophe in front; a negative number stays as it is. */
function csvCell(text: string): string {
  const safe = /^[=+@\t\r]|^-(?![\d.]+$)/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The lines of a table, the names of its columns first. */
export function csvText(lines: string[][]): string {
  return lines.map((line) => `${line.map(csvCell).join(",")}\r\n`).join("");
}

// What the server says of files as they are typed: its findings, placed in the text of an editor.

/** A finding about a part of a file. Lines and columns count from 1, columns in characters. */
export type Finding = {
  code: string;
  severity: "error" | "warning" | "hint";
  message: string;
  help: string | null;
  file: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
};

/** `EditorFinding` of the API: with a range; a finding of a refused change has its place directly. */
type SentFinding = {
  code?: string;
  severity?: string;
  message?: string;
  help?: string | null;
  file?: string;
  path?: string;
  line?: number;
  column?: number;
  range?: { start: { line: number; column: number }; end: { line: number; column: number } };
};

export function readFinding(sent: SentFinding): Finding {
  const start = sent.range?.start ?? { line: sent.line ?? 1, column: sent.column ?? 1 };
  const end = sent.range?.end ?? start;
  const severity = sent.severity === "warning" || sent.severity === "hint" ? sent.severity : "error";
  return {
    code: sent.code ?? "",
    severity,
    message: sent.message ?? "",
    help: sent.help ?? null,
    file: sent.file ?? sent.path ?? "",
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
  };
}

export const readFindings = (sent: unknown): Finding[] => (Array.isArray(sent) ? sent.map((one) => readFinding(one as SentFinding)) : []);

/** Where a column of characters is in a line whose text is counted in UTF-16 units, as editors count. */
export function offsetOfColumn(line: string, column: number): number {
  let offset = 0;
  let at = 1;
  for (const character of line) {
    if (at >= column) break;
    offset += character.length;
    at += 1;
  }
  return offset;
}

/** The column of characters at an offset of UTF-16 units. */
export const columnOfOffset = (line: string, offset: number): number => [...line.slice(0, offset)].length + 1;

export const hasErrors = (findings: Finding[]): boolean => findings.some((one) => one.severity === "error");

/** Errors first, then by file and place. */
export function sortFindings(findings: Finding[]): Finding[] {
  const rank = { error: 0, warning: 1, hint: 2 };
  return findings.toSorted((left, right) => rank[left.severity] - rank[right.severity] || left.file.localeCompare(right.file) || left.line - right.line || left.column - right.column);
}

// Gives the reader a file: a text of the console, or a list as the server writes it.

import { ApiError, type Query, send } from "./api";

function give(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function download(name: string, text: string, type = "text/plain"): void {
  give(name, new Blob([text], { type: `${type};charset=utf-8` }));
}

const TYPES = {
  csv: "text/csv",
  ndjson: "application/x-ndjson",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};
export type ListFile = keyof typeof TYPES;

/** A whole list as a file, such as `credits.xlsx`. */
export async function downloadList(path: string, kind: ListFile, name: string, query: Query = {}): Promise<void> {
  const answer = await send("GET", path, undefined, { query, headers: { accept: TYPES[kind] } });
  if (!answer.headers.get("content-type")?.startsWith(TYPES[kind])) {
    const detail = `This server does not write this list as ${kind.toUpperCase()}. A newer version of the server can.`;
    throw new ApiError(answer.status, "not_offered", "There is no such file", detail);
  }
  give(`${name}.${kind}`, await answer.blob());
}

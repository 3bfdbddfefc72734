// The routes under /v1/editor: what is wrong with files as they are typed, what may be written, what a deal
// becomes. Nothing of it is stored.

import { ApiError, post, type Schemas, send } from "../api";
import { type Finding, readFindings } from "./findings";
import type { Proposal, TextPlace, TextRange } from "./mount";

/** Path to text, laid over the files in force; null takes a file away. */
export type EditedFiles = Record<string, string | null>;

export type Checked = { findings: Finding[]; checks: boolean };

/** What each plan decides about a deal. */
export type Tried = Checked & { plans: Schemas["Explanation"][] };

/** The deal that is tried: its columns, or the id of a recorded one. */
export type TriedDeal = { deal: Record<string, unknown> } | { transaction: string };

/** Whether the server is too old for this route, or the route is not for this caller. */
export const isMissing = (error: unknown): boolean => error instanceof ApiError && (error.status === 404 || error.status === 405) && error.code !== "not_a_definition";

export const MISSING_CHECK = "This server does not check while you type. Findings appear when you preview.";

type SentRun = { checks?: boolean; plans?: Schemas["Explanation"][]; diagnostics?: unknown };

export async function checkFiles(files: EditedFiles, signal?: AbortSignal): Promise<Checked> {
  const sent = await post<SentRun>("/v1/editor/check", { files }, { signal });
  const findings = readFindings(sent.diagnostics);
  return { findings, checks: sent.checks ?? !findings.some((one) => one.severity === "error") };
}

export async function tryDeal(files: EditedFiles, deal: TriedDeal, plan?: string, signal?: AbortSignal): Promise<Tried> {
  const sent = await post<SentRun>("/v1/editor/run", { files, ...deal, plan }, { signal });
  const findings = readFindings(sent.diagnostics);
  return { findings, checks: sent.checks ?? true, plans: sent.plans ?? [] };
}

/** The same decision as a case, in Markdown. */
export async function writeCase(files: EditedFiles, deal: TriedDeal, plan?: string): Promise<string> {
  const answer = await send("POST", "/v1/editor/case", { files, ...deal, plan }, { headers: { accept: "text/markdown, application/json;q=0.5" } });
  return answer.text();
}

type SentItem = { label: string; kind?: string; detail?: string | null; documentation?: string | null; insert?: string | null; range?: TextRange };

/** What may be written at a place; null where the server cannot tell. */
export async function completeAt(files: EditedFiles, path: string, place: TextPlace): Promise<Proposal[] | null> {
  try {
    const body = { files: { ...files, [path]: place.text }, path, line: place.line, column: place.column };
    const sent = await post<{ items?: SentItem[] }>("/v1/editor/complete", body);
    return (sent.items ?? []).map((one) => ({
      label: one.label,
      kind: one.kind ?? "",
      detail: one.detail ?? "",
      documentation: plainMarkdown(one.documentation ?? ""),
      insert: one.insert ?? one.label,
      range: one.range,
    }));
  } catch {
    return null;
  }
}

/** Where the name at a place is defined; null where that is in no file, or the server cannot tell. */
export async function definitionAt(files: EditedFiles, path: string, place: TextPlace): Promise<{ file: string; line: number } | null> {
  try {
    const body = { files: { ...files, [path]: place.text }, path, line: place.line, column: place.column };
    const sent = await post<{ definition?: { file: string; line?: number; range?: TextRange } | null }>("/v1/editor/hover", body);
    const found = sent.definition;
    return found ? { file: found.file, line: found.line ?? found.range?.start.line ?? 1 } : null;
  } catch {
    return null;
  }
}

type SentHover = { contents?: string | null };

/** Markdown as text for a small box: without fences and backquotes. */
const plainMarkdown = (text: string): string => text.replace(/^```.*\n?/gm, "").replaceAll("`", "").trim();

export async function hoverAt(files: EditedFiles, path: string, place: TextPlace): Promise<string | null> {
  try {
    const body = { files: { ...files, [path]: place.text }, path, line: place.line, column: place.column };
    const sent = await post<SentHover & { hover?: SentHover | null }>("/v1/editor/hover", body);
    const contents = sent.contents ?? sent.hover?.contents;
    return contents ? plainMarkdown(contents) : null;
  } catch {
    return null;
  }
}

// The files in force: their list, their texts, and earlier versions of them.

import { ApiError, get, getText, type Page, type Schemas, send } from "../lib/api";
import type { Language } from "../lib/editor/mount";
import { textBefore } from "./patch";

export type FileInForce = { text: string; hash: string };
export type FileVersion = Schemas["FileVersion"];

const address = (path: string, behind = ""): string => `/v1/definitions/${path.split("/").map(encodeURIComponent).join("/")}${behind}`;

export const listFiles = (signal?: AbortSignal): Promise<Schemas["FileList"]> => get<Schemas["FileList"]>("/v1/definitions", {}, signal);

/** A file in force; null where there is none of this path, which the list says without a refusal. */
export async function readFile(path: string, signal?: AbortSignal): Promise<FileInForce | null> {
  const listed = (await listFiles(signal)).data.find((one) => one.path === path);
  return listed ? { text: await getText(address(path)), hash: listed.hash } : null;
}

/** The texts of all files that fit, by path. */
export async function readFiles(fits: (path: string) => boolean, signal?: AbortSignal): Promise<Map<string, FileInForce>> {
  const files = (await listFiles(signal)).data.filter((one) => fits(one.path));
  const texts = await Promise.all(files.map(async (one) => ({ path: one.path, hash: one.hash, text: await getText(address(one.path)) })));
  return new Map(texts.map(({ path, hash, text }) => [path, { hash, text }]));
}

export async function listVersions(path: string, signal?: AbortSignal): Promise<FileVersion[]> {
  try {
    return (await get<Page<FileVersion>>(address(path, "/versions"), {}, signal)).data;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

/** The text of a version; blank where the version removed the file. */
export async function readVersion(path: string, hash: string | null, signal?: AbortSignal): Promise<string> {
  if (hash === null) return "";
  const now = await readFile(path, signal);
  if (now?.hash === hash) return now.text;
  const answer = await send("GET", address(path, "/diff"), undefined, { query: { from: hash }, headers: { accept: "text/x-diff, text/plain" }, signal });
  return textBefore(await answer.text(), now?.text ?? "");
}

const LANGUAGES: [RegExp, Language][] = [
  [/\.rhai$/, "rhai"],
  [/\.toml$/, "toml"],
  [/\.csv$/, "csv"],
  [/\.json$/, "json"],
  [/\.md$/, "markdown"],
];
export const languageOf = (path: string): Language => LANGUAGES.find(([pattern]) => pattern.test(path))?.[1] ?? "text";

/** Plans by their id, which is the name of the file. */
export const planOfPath = (path: string): string | null => /^plans\/([^/]+)\.toml$/.exec(path)?.[1] ?? null;

/** The folder of a file, in words for headings. */
export function partOf(path: string): string {
  if (path.endsWith(".cases.md")) return "Cases";
  const folder = path.includes("/") ? (path.split("/")[0] ?? "") : "";
  return { plans: "Plans", policies: "Policies", organization: "Organization", tables: "Tables", "": "Settings" }[folder] ?? folder;
}

export const shortHash = (hash: string | null | undefined): string => (hash ? hash.slice(0, 8) : "–");

// Requests to the server of this page. Amounts stay text, as the server sends them.
//
// Errors: every answer that is not 2xx throws an `ApiError` with the server's own problem, whose `detail`
// says what to do.

import type { components } from "./api-types";

/** Every body by its name in the OpenAPI document. */
export type Schemas = components["schemas"];
/** A page of a list. */
export type Page<T> = { data: T[]; next_cursor?: string | null };

/** What the server refused, in its words (RFC 9457). */
export class ApiError extends Error {
  readonly status: number;
  /** The last part of the problem's type, such as `base_moved`. */
  readonly code: string;
  readonly title: string;
  /** What is wrong where, if the server names places. */
  readonly errors: Record<string, unknown>[];

  constructor(status: number, code: string, title: string, detail: string, errors: Record<string, unknown>[] = []) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.title = title;
    this.errors = errors;
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;
type Options = { query?: Query; headers?: Record<string, string>; signal?: AbortSignal };

/** Called when the server no longer knows the caller. */
let signedOut: () => void = () => {};
export function onSignedOut(then: () => void): void {
  signedOut = then;
}

/** A path with its query; keys without a value are left out. */
export function withQuery(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (given.length === 0) return path;
  return `${path}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

/** The problem of an answer; a plain sentence where a proxy answered in the server's place. */
async function readProblem(answer: Response): Promise<ApiError> {
  const fallback = `The server answered ${answer.status}. Try again; if it stays, tell your administrator.`;
  const type = answer.headers.get("content-type") ?? "";
  if (!type.includes("json")) return new ApiError(answer.status, "", answer.statusText, fallback);

  const problem = (await answer.json()) as Partial<Schemas["Problem"]>;
  const code = problem.type?.split("/").pop() ?? "";
  return new ApiError(
    answer.status,
    code,
    problem.title ?? answer.statusText,
    problem.detail ?? fallback,
    (problem.errors as Record<string, unknown>[] | undefined) ?? [],
  );
}

/** Sends a request; the answer as it came. */
export async function send(method: string, path: string, body?: unknown, options: Options = {}): Promise<Response> {
  const isText = typeof body === "string";
  const headers: Record<string, string> = { accept: "application/json", ...options.headers };
  if (body !== undefined) headers["content-type"] ??= isText ? "text/plain; charset=utf-8" : "application/json";

  let answer: Response;
  try {
    answer = await fetch(withQuery(path, options.query), {
      method,
      headers,
      body: body === undefined ? undefined : isText ? body : JSON.stringify(body),
      credentials: "same-origin",
      signal: options.signal,
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "unreachable", "No answer", "The server cannot be reached. Check the network, then try again.");
  }

  if (answer.ok) return answer;
  const problem = await readProblem(answer);
  if (answer.status === 401 && !path.startsWith("/v1/session")) signedOut();
  throw problem;
}

async function sendJson<T>(method: string, path: string, body?: unknown, options: Options = {}): Promise<T> {
  const answer = await send(method, path, body, options);
  const text = await answer.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  sendJson<T>("GET", path, undefined, { query, signal });
export const post = <T>(path: string, body: unknown = {}, options?: Options): Promise<T> =>
  sendJson<T>("POST", path, body, options);
export const put = <T>(path: string, body: unknown, options?: Options): Promise<T> =>
  sendJson<T>("PUT", path, body, options);
export const remove = <T>(path: string, options?: Options): Promise<T> =>
  sendJson<T>("DELETE", path, undefined, options);

/** Every row of a list, page by page; at most `most` rows. */
export async function getAll<T>(path: string, query: Query = {}, most = 20_000, signal?: AbortSignal): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | null | undefined;
  do {
    const page: Page<T> = await get(path, { limit: 1000, ...query, cursor }, signal);
    rows.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor && rows.length < most);
  return rows;
}

/** The text of a file. */
export async function getText(path: string, query?: Query): Promise<string> {
  const answer = await send("GET", path, undefined, { query, headers: { accept: "text/plain" } });
  return answer.text();
}

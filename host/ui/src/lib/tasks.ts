// Requests that may take longer than one answer: the server then answers with a task, which is asked until it ends.

import { ApiError, get, post, type Schemas } from "./api";

type Started = Schemas["StartedTask"];
type Task = Schemas["Task"];

const PAUSE_MS = 700;

const isStarted = (answer: unknown): answer is Started =>
  typeof answer === "object" && answer !== null && "task" in answer && "what" in answer && "state" in answer;

/** The problem that a task ended with, as a request would have thrown it. */
function problemOf(task: Task): ApiError {
  const problem = (task.answer ?? {}) as Partial<Schemas["Problem"]>;
  const detail = problem.detail ?? "The server did not finish this. Try again; if it stays, tell your administrator.";
  const errors = (problem.errors as Record<string, unknown>[] | undefined) ?? [];
  return new ApiError(task.status ?? 500, problem.type?.split("/").pop() ?? "", problem.title ?? "", detail, errors);
}

const pause = (milliseconds: number) => new Promise((then) => setTimeout(then, milliseconds));

/** Sends a request and waits for its answer, also where the server makes a task of it. */
export async function postAndWait<T>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<T> {
  const first = await post<unknown>(path, body, { headers: { prefer: "wait=5" }, signal });
  if (!isStarted(first)) return first as T;

  for (;;) {
    await pause(PAUSE_MS);
    signal?.throwIfAborted();
    const task = await get<Task>(`/v1/tasks/${first.task}`, {}, signal);
    if (task.state === "running") continue;
    if (task.state === "failed" || (task.status ?? 200) >= 400) throw problemOf(task);
    return task.answer as T;
  }
}

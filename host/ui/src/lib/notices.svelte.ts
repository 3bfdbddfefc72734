// Short messages about what was just done.

import { ApiError } from "./api";

export type Notice = { id: number; kind: "good" | "bad"; text: string };

let nextId = 1;
export const notices = $state<Notice[]>([]);

export function dismiss(id: number): void {
  const at = notices.findIndex((notice) => notice.id === id);
  if (at >= 0) notices.splice(at, 1);
}

function show(kind: Notice["kind"], text: string, milliseconds: number): void {
  const id = nextId++;
  notices.push({ id, kind, text });
  setTimeout(() => dismiss(id), milliseconds);
}

export const notifyDone = (text: string): void => show("good", text, 5_000);
export const notifyProblem = (error: unknown): void =>
  show("bad", error instanceof ApiError || error instanceof Error ? error.message : String(error), 12_000);

/** Whether an answer is a request that another person has to approve (four eyes). */
export function waitsForApproval(answer: unknown): boolean {
  if (typeof answer !== "object" || answer === null || !("state" in answer)) return false;
  return answer.state === "waiting" && ("request" in answer || "change" in answer);
}

/** Carries an act out and tells how it went; whether it went well. */
export async function act(doing: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    const answer = await doing();
    notifyDone(waitsForApproval(answer) ? "This waits for approval by another person. Approvals lists it." : done);
    return true;
  } catch (error) {
    notifyProblem(error);
    return false;
  }
}

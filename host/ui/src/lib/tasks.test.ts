import { afterEach, expect, it, vi } from "vitest";
import { postAndWait } from "./tasks";

const answers = (...bodies: [number, unknown][]) => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    const [status, body] = bodies.shift() ?? [500, null];
    return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
  });
  return asked;
};
afterEach(() => vi.unstubAllGlobals());

it("gives the answer of a request that was quick", async () => {
  const asked = answers([200, { ruleset: "rs_1" }]);
  expect(await postAndWait("/v1/preview", {})).toEqual({ ruleset: "rs_1" });
  expect(asked).toEqual(["/v1/preview"]);
});

it("asks the task until it ends, and gives its answer", async () => {
  const asked = answers([202, { task: 7, what: "preview", state: "running" }], [200, { task: 7, state: "running", status: null, answer: null }], [200, { task: 7, state: "done", status: 200, answer: { ruleset: "rs_2" } }]);
  expect(await postAndWait("/v1/preview", {})).toEqual({ ruleset: "rs_2" });
  expect(asked).toEqual(["/v1/preview", "/v1/tasks/7", "/v1/tasks/7"]);
});

it("throws the problem of a task that failed, in the server's words", async () => {
  answers([202, { task: 8, what: "preview", state: "running" }], [200, { task: 8, state: "failed", status: 422, answer: { type: "/problems/check_failed", title: "Unprocessable", detail: "check found errors", errors: [{ file: "a.csv" }] } }]);
  await expect(postAndWait("/v1/preview", {})).rejects.toMatchObject({ status: 422, code: "check_failed", message: "check found errors", errors: [{ file: "a.csv" }] });
});

it("a run that waits is no task", async () => {
  answers([202, { id: 3, plan: "ae", state: "waiting" }]);
  expect(await postAndWait("/v1/x", {})).toMatchObject({ id: 3 });
});

import { expect, test } from "vitest";
import { eachLimited } from "./concurrency";

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

test.each([[1, 10], [3, 10], [20, 5], [4, 0]])("at most %i of %i run at once, each once", async (most, count) => {
  let [running, highest] = [0, 0];
  const seen: number[] = [];
  await eachLimited(Array.from({ length: count }, (_, at) => at), most, async (item) => {
    highest = Math.max(highest, ++running);
    await tick();
    seen.push(item);
    running -= 1;
  });
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at));
  expect(highest).toBe(Math.min(most, count));
});

test("nothing more is begun after an abort", async () => {
  const abort = new AbortController();
  const seen: number[] = [];
  await eachLimited([1, 2, 3, 4, 5, 6], 2, async (item) => {
    seen.push(item);
    if (item === 2) abort.abort();
    await tick();
  }, abort.signal);
  expect(seen).toEqual([1, 2]);
});

test("a failure is told", async () => {
  await expect(eachLimited([1], 2, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
});

// Many requests, a few at a time.

/** Runs `work` on each item, at most `most` at once, in order; stops between items once `signal` is aborted. */
export async function eachLimited<T>(items: readonly T[], most: number, work: (item: T, at: number) => Promise<void>, signal?: AbortSignal): Promise<void> {
  let next = 0;
  async function worker(): Promise<void> {
    while (next < items.length && !signal?.aborted) {
      const at = next++;
      await work(items[at]!, at);
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}

// What a screen asks for, with its states: loading, failed, there.

import { ApiError } from "./api";
import { live } from "./live.svelte";

export class Load<T> {
  value = $state.raw<T | undefined>(undefined);
  problem = $state.raw<ApiError | null>(null);
  loading = $state(true);
  #ask: (signal: AbortSignal) => Promise<T>;
  #abort: AbortController | null = null;

  constructor(ask: (signal: AbortSignal) => Promise<T>) {
    this.#ask = ask;
  }

  /** Asks, or asks again; what was shown stays until the new answer is there. */
  async reload(): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    try {
      const value = await this.#ask(abort.signal);
      if (this.#abort !== abort) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (this.#abort !== abort) return;
      this.problem = error instanceof ApiError ? error : new ApiError(0, "", "Something went wrong", String(error));
    }
    this.loading = false;
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }
}

/**
 * Loads when the screen opens and each time what `ask` reads of the state changes (before its first
 * `await`); with `live`, also when the server says that something changed.
 */
export function loaded<T>(ask: (signal: AbortSignal) => Promise<T>, options: { live?: boolean } = {}): Load<T> {
  const load = new Load(ask);
  $effect(() => {
    if (options.live) void live.changes;
    void load.reload();
  });
  $effect(() => () => load.stop());
  return load;
}

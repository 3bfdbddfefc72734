// News of the server, over server-sent events: that something changed, and how far runs are.

import type { Schemas } from "./api";

export type LiveNews = Schemas["LiveNews"];

class Live {
  /** Counts up with every change; screens that read it load again. */
  changes = $state(0);
  news = $state.raw<LiveNews | null>(null);
  connected = $state(false);
  #source: EventSource | null = null;

  /** Listens while a person is signed in. The browser connects again by itself. */
  start(): void {
    if (this.#source) return;
    const source = new EventSource("/v1/live");
    this.#source = source;
    source.addEventListener("open", () => (this.connected = true));
    source.addEventListener("error", () => (this.connected = false));
    source.addEventListener("news", (event) => {
      const news = JSON.parse((event as MessageEvent<string>).data) as LiveNews;
      if (this.news && this.news.revision !== news.revision) this.changes += 1;
      this.news = news;
    });
  }

  stop(): void {
    this.#source?.close();
    this.#source = null;
    this.connected = false;
    this.news = null;
  }
}

export const live = new Live();

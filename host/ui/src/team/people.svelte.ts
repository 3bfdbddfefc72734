// Statements of everybody who reports to the caller, loaded a few at a time.

import { ApiError, get, type Page, type Schemas } from "../lib/api";
import { reportSubject } from "../me/subject";
import { eachLimited } from "./concurrency";
import { standingOf, unknownStanding, type Report, type Standing } from "./standing";

/** Requests that run at once: a browser opens no more connections to one server anyway. */
export const AT_ONCE = 5;

export class TeamStandings {
  standings = $state.raw<Standing[]>([]);
  /** How many people are still to come. */
  left = $state(0);
  #abort: AbortController | null = null;

  async load(reports: Report[], period: string, passed: number | null): Promise<void> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    [this.standings, this.left] = [[], reports.length];
    const found: Standing[] = [];

    await eachLimited(reports, AT_ONCE, async (report) => {
      const standing = await this.#standing(report, period, passed, abort.signal);
      if (abort.signal.aborted) return;
      found.push(standing);
      this.standings = [...found];
      this.left = reports.length - found.length;
    }, abort.signal);
  }

  async #standing(report: Report, period: string, passed: number | null, signal: AbortSignal): Promise<Standing> {
    try {
      const { api } = reportSubject(report.payee, report.name);
      const page = await get<Page<Schemas["Statement"]>>(`${api}/statements`, { period }, signal);
      return standingOf(report, page.data, passed);
    } catch (error) {
      return unknownStanding(report, error instanceof ApiError ? error.message : String(error));
    }
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }
}

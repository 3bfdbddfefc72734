// Checks files shortly after the last keystroke, and keeps what was found until the next answer.

import { ApiError } from "../api";
import type { Finding } from "./findings";
import { checkFiles, type EditedFiles, isMissing, MISSING_CHECK } from "./service";

/** How long nothing is typed before the server is asked. */
const PAUSE_MS = 350;

export class Checker {
  findings = $state.raw<Finding[]>([]);
  state = $state<"idle" | "checking" | "checked" | "failed">("idle");
  /** Why nothing was checked. */
  problem = $state("");
  /** Whether no finding of the last answer is an error. */
  checks = $state(true);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | null = null;

  /** Checks these files after a pause; a later call takes the place of this one. */
  later(files: EditedFiles): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.now(files), PAUSE_MS);
  }

  async now(files: EditedFiles): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.state = "checking";
    try {
      const answer = await checkFiles(files, abort.signal);
      if (this.#abort !== abort) return;
      [this.findings, this.checks, this.state, this.problem] = [answer.findings, answer.checks, "checked", ""];
    } catch (error) {
      if (this.#abort !== abort) return;
      this.state = "failed";
      this.problem = isMissing(error) ? MISSING_CHECK : error instanceof ApiError ? error.message : String(error);
    }
  }

  /** Shows what another request found about the same files. */
  take(answer: { findings: Finding[]; checks: boolean }): void {
    this.stop();
    [this.findings, this.checks, this.state, this.problem] = [answer.findings, answer.checks, "checked", ""];
  }

  /** The findings about a file. */
  of(path: string): Finding[] {
    return this.findings.filter((one) => one.file === path);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
  }
}

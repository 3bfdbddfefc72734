// Who is signed in, and what the server is called.

import { ApiError, get, onSignedOut, post, remove, type Schemas } from "./api";
import { todayText } from "./format";

/** What the server tells before anybody is signed in. */
export type Welcome = Schemas["Welcome"];
export type Caller = Schemas["Caller"];

/** What each role may look at, besides the playground. */
const STAFF = ["auditor", "reader", "author", "approver", "admin"];
const ORDER = ["auditor", "reader", "author", "approver", "admin"];

class Session {
  welcome = $state.raw<Welcome | null>(null);
  caller = $state.raw<Caller | null>(null);
  /** People who report to the caller today. */
  reports = $state.raw<Schemas["Report"][]>([]);
  /** Whether the first answers are there. */
  ready = $state(false);
  problem = $state.raw<ApiError | null>(null);

  /** Today by the calendar of the server, which says what the period of today is; by that of the reader until it has answered. */
  get today(): string {
    return this.caller?.business_date ?? todayText();
  }
  get isStaff(): boolean {
    return STAFF.includes(this.caller?.role ?? "");
  }
  get isPayee(): boolean {
    return this.caller?.participant != null;
  }
  get isManager(): boolean {
    return this.reports.length > 0;
  }
  /** Whether the caller's role includes `role`, one of the staff. */
  may(role: "auditor" | "reader" | "author" | "approver" | "admin"): boolean {
    return ORDER.indexOf(this.caller?.role ?? "") >= ORDER.indexOf(role);
  }

  /** The screen that a caller begins with. */
  get home(): string {
    if (!this.caller) return "/sign-in";
    if (this.isPayee) return "/me";
    return this.caller.role === "author" ? "/policies" : "/admin";
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.welcome = await get<Welcome>("/v1/welcome");
      await this.#readCaller();
    } catch (error) {
      this.problem = error instanceof ApiError ? error : new ApiError(0, "", "No answer", String(error));
    }
    this.ready = true;
  }

  async #readCaller(): Promise<void> {
    try {
      this.caller = await get<Caller>("/v1/me");
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.caller = null;
    }
    const isPayee = this.caller?.participant != null;
    this.reports = isPayee ? (await get<{ data: Schemas["Report"][] }>("/v1/me/reports")).data : [];
  }

  async signIn(email: string, password: string): Promise<void> {
    await post("/v1/session", { email, password });
    await this.#readCaller();
  }

  async signOut(): Promise<void> {
    await remove("/v1/session");
    this.caller = null;
    this.reports = [];
  }
}

export const session = new Session();
onSignedOut(() => {
  session.caller = null;
  session.reports = [];
});

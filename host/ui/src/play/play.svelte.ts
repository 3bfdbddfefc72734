// What is in the playground, and what came of it last.

import { ApiError } from "../lib/api";
import { Checker } from "../lib/editor/checker.svelte";
import { type EditedFiles, isMissing, type TriedDeal, tryDeal, type Tried, writeCase } from "../lib/editor/service";
import { type Deal, readDeal, writeDeal } from "./deals";
import { DEMO_CREDIT_TYPE, DEMO_DEAL, EXAMPLES, type Example, PLAN_PATH, PLAY_NAME, planFor, policyPath } from "./examples";
import type { Shared } from "./share";

const KEPT = "accredit-playground";

class Playground {
  kind = $state("crediting");
  policy = $state("");
  plan = $state("");
  deal = $state(writeDeal(DEMO_DEAL));
  /** The credit type of the playground's plan; blank where the workspace has none. */
  creditType = DEMO_CREDIT_TYPE;
  /** A recorded deal in place of the text, with what people decided about it. */
  recorded = $state("");
  /** Whether the plans in force decide as well. */
  allPlans = $state(false);
  running = $state(false);
  result = $state.raw<Tried | null>(null);
  problem = $state("");
  readonly checker = new Checker();

  readonly path = $derived(policyPath(this.kind));
  readonly files = $derived<EditedFiles>({ [this.path]: this.policy, [PLAN_PATH]: this.plan });

  constructor() {
    const kept = sessionStorage.getItem(KEPT);
    if (kept) this.bring(JSON.parse(kept) as Shared);
    else this.begin(EXAMPLES.find((one) => one.kind === this.kind));
  }

  /** Begins anew with an example. */
  begin(example: Example | undefined): void {
    if (!example) return;
    this.kind = example.kind;
    this.policy = example.policy;
    this.plan = planFor(example.kind, this.creditType);
    this.result = null;
    this.problem = "";
  }

  /** Fits what was not edited to the workspace: its credit type, and a deal with its columns. */
  adopt(creditType: string, deal: Deal | null): void {
    if (this.plan === planFor(this.kind, this.creditType)) this.plan = planFor(this.kind, creditType);
    this.creditType = creditType;
    if (deal && this.deal === writeDeal(DEMO_DEAL)) this.deal = writeDeal(deal);
  }

  get shared(): Shared {
    return { kind: this.kind, policy: this.policy, plan: this.plan, deal: this.deal };
  }

  bring(shared: Shared): void {
    [this.kind, this.policy, this.plan, this.deal, this.recorded] = [shared.kind, shared.policy, shared.plan, shared.deal, ""];
    this.result = null;
  }

  /** Kept while the window is open. */
  keep(): void {
    sessionStorage.setItem(KEPT, JSON.stringify(this.shared));
  }

  /** What is tried, or null with the problem shown. */
  #tried(): TriedDeal | null {
    if (this.recorded) return { transaction: this.recorded };
    const read = readDeal(this.deal);
    if ("deal" in read) return read;
    this.problem = read.problem;
    return null;
  }

  async run(): Promise<void> {
    this.problem = "";
    const deal = this.#tried();
    if (!deal) return;
    this.running = true;
    try {
      this.result = await tryDeal(this.files, deal, this.allPlans ? undefined : PLAY_NAME);
      this.checker.take(this.result);
    } catch (error) {
      this.result = null;
      this.problem = isMissing(error) ? "This server cannot try deals. A newer version of the server can." : error instanceof ApiError ? error.message : String(error);
    }
    this.running = false;
  }

  /** The decision as a case; null with the problem shown. */
  async writeCase(): Promise<string | null> {
    this.problem = "";
    const deal = this.#tried();
    if (!deal) return null;
    try {
      return await writeCase(this.files, deal, PLAY_NAME);
    } catch (error) {
      this.problem = isMissing(error) ? "This server cannot write cases. A newer version of the server can." : error instanceof ApiError ? error.message : String(error);
      return null;
    }
  }
}

let made: Playground | undefined;
/** The playground of this window. */
export const playground = (): Playground => (made ??= new Playground());

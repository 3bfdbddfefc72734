// What forms and lists need of the company's files: names of people, plans, reason codes. Asked once, then kept.

import { ApiError, get, getText, type Schemas } from "../lib/api";
import { csvRecords } from "./csv";
import { settingsList, settingsSections, settingsText } from "./settings";

export type Named = { id: string; name: string };
export type Source = { name: string; connector: string | null };

/** A file's text; empty where the company has no such file. */
export async function readFile(path: string, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  try {
    return await getText(`/v1/definitions/${path}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return "";
    throw error;
  }
}

class Directory {
  payees = $state.raw<Named[]>([]);
  positions = $state.raw<Named[]>([]);
  plans = $state.raw<Named[]>([]);
  paths = $state.raw<string[]>([]);
  settings = $state.raw("");
  #asked: Promise<void> | null = null;
  #names = $derived(new Map(this.payees.map((one) => [one.id.toLowerCase(), one.name])));
  #planNames = $derived(new Map(this.plans.map((one) => [one.id, one.name])));

  reasonCodes = $derived(settingsList(this.settings, "reason_codes"));
  creditTypes = $derived(settingsList(this.settings, "credit_types"));
  unitTypes = $derived(settingsList(this.settings, "unit_types"));
  currency = $derived(settingsText(this.settings, "workspace", "currency") ?? "");
  sources = $derived(settingsSections(this.settings, "sources").map((name): Source => ({ name, connector: settingsText(this.settings, `sources.${name}`, "connector") })));

  /** The name of a participant; the id where none is known. */
  nameOf = (id: string | null | undefined): string => (id ? (this.#names.get(id.toLowerCase()) ?? id) : "–");
  planName = (id: string): string => this.#planNames.get(id) ?? id;

  /** Asks once; screens call it and go on, since names arrive as they come. */
  load(): Promise<void> {
    this.#asked ??= this.#read().catch(() => void (this.#asked = null));
    return this.#asked;
  }

  /** Asks again after files have changed. */
  reload(): Promise<void> {
    this.#asked = null;
    return this.load();
  }

  async #read(): Promise<void> {
    const list = await get<Schemas["FileList"]>("/v1/definitions");
    this.paths = list.data.map((file) => file.path);
    const planPaths = this.paths.filter((path) => /^plans\/[^/]+\.toml$/.test(path));
    const [settings, participants, positions, ...plans] = await Promise.all(
      ["accredit.toml", "organization/participants.csv", "organization/positions.csv", ...planPaths].map((path) => readFile(path)),
    );
    this.settings = settings ?? "";
    this.payees = uniqueNames(csvRecords(participants ?? ""));
    this.positions = uniqueNames(csvRecords(positions ?? ""));
    this.plans = planPaths.map((path, at) => {
      const id = path.slice("plans/".length, -".toml".length);
      return { id, name: /^name\s*=\s*"([^"]*)"/m.exec(plans[at] ?? "")?.[1] ?? id };
    });
  }
}

/** One entry an id: the last row of a person who has several. */
function uniqueNames(rows: Record<string, string>[]): Named[] {
  const known = new Map<string, Named>();
  for (const row of rows) {
    const id = row.id ?? "";
    if (id !== "") known.set(id.toLowerCase(), { id, name: row.name || row.title || id });
  }
  return [...known.values()].toSorted((left, right) => left.name.localeCompare(right.name));
}

export const directory = new Directory();

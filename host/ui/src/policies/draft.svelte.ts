// Edits of several files that are not in force yet. They belong to this window until they are activated or discarded.

import type { EditedFiles } from "../lib/editor/service";

/** An edited file: its new text, null where it is removed; and the version that was edited, null for a new file. */
export type DraftFile = { text: string | null; from: string | null; original: string };

const KEPT = "accredit-draft";

function kept(): Record<string, DraftFile> {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") as Record<string, DraftFile>;
  } catch {
    return {};
  }
}

class Draft {
  #files = $state.raw<Record<string, DraftFile>>(kept());

  get files(): Record<string, DraftFile> {
    return this.#files;
  }
  get paths(): string[] {
    return Object.keys(this.#files).sort();
  }
  get count(): number {
    return this.paths.length;
  }
  /** Path to text, as a change or a check is sent. */
  get edited(): EditedFiles {
    return Object.fromEntries(Object.entries(this.#files).map(([path, file]) => [path, file.text]));
  }
  of(path: string): DraftFile | undefined {
    return this.#files[path];
  }

  #set(files: Record<string, DraftFile>): void {
    this.#files = files;
    if (Object.keys(files).length === 0) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, JSON.stringify(files));
  }

  /** Keeps a new text of a file; the text in force takes the file out of the draft. */
  write(path: string, text: string | null, inForce: { text: string; hash: string } | null): void {
    const known = this.#files[path];
    const original = known?.original ?? inForce?.text ?? "";
    const from = known ? known.from : (inForce?.hash ?? null);
    if (from !== null && text === original) this.discard(path);
    else if (from === null && text === null) this.discard(path);
    else this.#set({ ...this.#files, [path]: { text, from, original } });
  }

  /** Says that the edit was made on the version that is in force now. */
  rebase(path: string, inForce: { text: string; hash: string } | null): void {
    const known = this.#files[path];
    if (!known) return;
    if (known.text === (inForce?.text ?? null)) this.discard(path);
    else this.#set({ ...this.#files, [path]: { text: known.text, from: inForce?.hash ?? null, original: inForce?.text ?? "" } });
  }

  discard(path: string): void {
    const files = { ...this.#files };
    delete files[path];
    this.#set(files);
  }

  clear(): void {
    this.#set({});
  }

  /** Puts a whole change into the draft, in place of what was there. */
  replace(files: Record<string, DraftFile>): void {
    this.#set(files);
  }
}

export const draft = new Draft();

/** What happens to a file: in words for people. */
export const whatOf = (file: DraftFile): "added" | "changed" | "removed" => (file.text === null ? "removed" : file.from === null ? "added" : "changed");

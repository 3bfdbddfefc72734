// Light or dark: what the system says, until the reader chooses.

type Theme = "light" | "dark";
const KEY = "accredit-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

const stored = (): Theme | null => {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : null;
};

let chosen = $state<Theme | null>(stored());
let systemDark = $state(system.matches);
system.addEventListener("change", () => (systemDark = system.matches));

export const theme = {
  get now(): Theme {
    return chosen ?? (systemDark ? "dark" : "light");
  },
  toggle(): void {
    chosen = theme.now === "dark" ? "light" : "dark";
    localStorage.setItem(KEY, chosen);
  },
};

/** Keeps the document's theme up to date; called once, in the application's root. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.now;
}

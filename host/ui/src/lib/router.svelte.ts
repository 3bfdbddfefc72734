// The address of the page as state. Every screen has an address of its own, so that it can be sent.

type Place = { path: string; query: URLSearchParams };

const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

let place = $state.raw<Place>(here());
/** Whether the next screen that opens takes the focus to its heading: after a link, and not at the first load. */
let opensByLink = false;
addEventListener("popstate", () => {
  opensByLink = location.pathname !== place.path;
  place = here();
});

export const router = {
  get path(): string {
    return place.path;
  },
  get query(): URLSearchParams {
    return place.query;
  },
  /** The parts of the path: `/me/credits/abc` has `["me", "credits", "abc"]`. */
  get parts(): string[] {
    return place.path.split("/").filter(Boolean).map(decodeURIComponent);
  },
};

/** Goes to an address of this console; `opens` is for a screen that takes the place of another in the history. */
export function navigate(to: string, options: { replace?: boolean; opens?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  place = here();
  if (options.opens ?? !options.replace) {
    scrollTo(0, 0);
    opensByLink = true;
  }
}

/** Whether a screen that opens now was reached by a link; the answer is given once. */
export function wasReachedByLink(): boolean {
  const was = opensByLink;
  opensByLink = false;
  return was;
}

/** Changes keys of the query and stays on the screen; null takes a key out. */
export function setQuery(changes: Record<string, string | null>): void {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  navigate(location.pathname + (text ? `?${text}` : ""), { replace: true });
}

/** Follows links within the console without loading the page again. */
export function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (!isConsolePath(link.pathname)) return;
  event.preventDefault();
  if (link.href !== location.href) navigate(link.pathname + link.search + link.hash);
}

/** The server answers these with the console, and everything else under / itself. */
const AREAS = ["", "me", "team", "admin", "policies", "play", "sign-in", "invitations"];
export const isConsolePath = (path: string): boolean => AREAS.includes(path.split("/")[1] ?? "");

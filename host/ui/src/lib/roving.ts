// One stop for Tab in a list of many: the arrow keys go from item to item, and Home and End to the ends.

/** Keeps the items of a list that fit `selector` to one stop; Svelte calls it where it is written as `use:roving`. */
export function roving(list: HTMLElement, selector: string): { destroy: () => void } {
  let current: HTMLElement | null = null;
  const items = () => [...list.querySelectorAll<HTMLElement>(selector)];

  function sync(): void {
    const all = items();
    if (!current || !all.includes(current)) current = all[0] ?? null;
    for (const item of all) item.tabIndex = item === current ? 0 : -1;
  }

  function focused(event: FocusEvent): void {
    const item = (event.target as HTMLElement).closest<HTMLElement>(selector);
    if (!item || item === current) return;
    current = item;
    sync();
  }

  function pressed(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const all = items();
    const at = all.indexOf(event.target as HTMLElement);
    if (at < 0) return;
    const aim = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (aim === undefined) return;
    event.preventDefault();
    all[Math.min(Math.max(aim, 0), all.length - 1)]?.focus();
  }

  const observer = new MutationObserver(sync);
  observer.observe(list, { childList: true, subtree: true });
  list.addEventListener("focusin", focused);
  list.addEventListener("keydown", pressed);
  sync();
  return { destroy: () => observer.disconnect() };
}

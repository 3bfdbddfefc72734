// Where the keyboard goes on when the element that had it is gone.

/** Takes the focus to the heading of the screen, if it is nowhere. */
export function focusHeading(): void {
  if (document.activeElement !== document.body) return;
  document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
}

// What the command palette offers: screens, and acts of the screen that is open.

export type Command = { name: string; hint?: string; run: () => void };

let ofScreen = $state.raw<Command[]>([]);

export const commands = {
  get ofScreen(): Command[] {
    return ofScreen;
  },
};

/** Offers acts while a screen is open; call it in the screen's script. */
export function offerCommands(make: () => Command[]): void {
  $effect(() => {
    ofScreen = make();
    return () => (ofScreen = []);
  });
}

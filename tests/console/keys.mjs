// The keyboard alone: Tab until something has the focus, and what has it, with its name and whether it is seen.

import assert from "node:assert/strict";

/** What has the focus: its role and name as a reader of the screen hears them, and whether an eye finds it. */
function describeFocus() {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  if (!one || one === document.body) return null;

  const tag = one.tagName.toLowerCase();
  const inputs = { checkbox: "checkbox", radio: "radio", search: "searchbox", range: "slider", file: "file", date: "date" };
  const roles = { a: "link", button: "button", select: "combobox", textarea: "textbox", summary: "summary", main: "main", h1: "heading", h2: "heading" };
  const role = one.getAttribute("role") ?? (tag === "input" ? (inputs[one.type] ?? "textbox") : (roles[tag] ?? tag));

  const root = one.getRootNode();
  const byIds = (one.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => root.getElementById?.(id)?.textContent ?? "").join(" ");
  const byLabel = [...(one.labels ?? [])].map((label) => label.innerText).join(" ");
  const said = [byIds, one.getAttribute("aria-label"), byLabel, one.innerText, one.getAttribute("title")];
  const name = (said.find((text) => text?.trim()) ?? "").replaceAll(/\s+/g, " ").trim();

  // The editor draws the frame around itself, and the palette is nothing but its field.
  const frame = root instanceof ShadowRoot ? root.host.closest(".editor, .frame") : one;
  const style = getComputedStyle(frame ?? one);
  const isMarked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const isLandmark = one.tabIndex < 0;
  const box = one.getBoundingClientRect();
  const middle = [Math.max(0, box.left) + Math.min(box.width, innerWidth - Math.max(0, box.left)) / 2, Math.max(0, box.top) + Math.min(box.height, innerHeight - Math.max(0, box.top)) / 2];
  const isInSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const above = document.elementFromPoint(...middle);
  const isCovered = above?.closest(".bar, .tools") !== null && above !== null && !above.closest(".bar, .tools").contains(root instanceof ShadowRoot ? root.host : one);

  return { role, name, value: one.value ?? "", isEditor: one.classList.contains("cm-content"), isMarked: isMarked || isLandmark, isInSight, isCovered };
}

export class Keys {
  constructor(visit) {
    this.visit = visit;
    this.page = visit.page;
    this.keyboard = visit.page.keyboard;
  }

  focus = () => this.page.evaluate(describeFocus);
  press = (key) => this.keyboard.press(key);
  type = (text) => this.keyboard.type(text);

  /** Goes on by one stop. In an editor Tab indents, so Escape comes before it, as the screen says. */
  async next(key = "Tab") {
    if ((await this.focus())?.isEditor) await this.press("Escape");
    await this.press(key);
    return this.focus();
  }

  /** Tabs to what has this role and name; what it passes must be marked, named and in sight. */
  async to(role, name, { key = "Tab", most = 120 } = {}) {
    const fits = (one) => one !== null && one.role === role && (typeof name === "string" ? one.name === name : name.test(one.name));
    const passed = [];
    let here = await this.focus();
    while (!fits(here)) {
      assert.ok(passed.length < most, `${role} ${name} is not among ${passed.map((one) => one && `${one.role} “${one.name.slice(0, 40)}”`).join(", ")}`);
      here = await this.next(key);
      passed.push(here);
      if (here) this.check(here);
    }
    return here;
  }

  check(one) {
    const what = `${one.role} “${one.name}”`;
    assert.ok(one.name !== "", `what has the focus has no name: ${JSON.stringify(one)}`);
    assert.ok(one.isMarked, `nothing marks the focus of the ${what}`);
    assert.ok(one.isInSight, `the ${what} has the focus and is out of sight`);
    assert.ok(!one.isCovered, `the ${what} has the focus and is covered`);
  }

  /** Tabs to something and presses Enter. */
  async open(role, name, options) {
    await this.to(role, name, options);
    await this.press("Enter");
  }

  /** A field gets a text in place of what it has. */
  async fill(role, name, text, options) {
    await this.to(role, name, options);
    await this.press("Control+a");
    await this.type(text);
  }

  /** Chooses in a list by its first letters. */
  async choose(name, text) {
    await this.to("combobox", name);
    await this.type(text);
  }

  /** Waits until the heading of a new screen has the focus. */
  async reach(name) {
    await this.page.getByRole("heading", { level: 1, name }).waitFor();
    await this.visit.settle();
    const here = await this.focus();
    assert.ok(here?.role === "heading", `after the way to “${name}”, the focus is at ${JSON.stringify(here)}`);
  }

  /** Signs in as a person of the sample company. */
  async signIn(person) {
    await this.visit.open("/sign-in");
    await this.open("button", new RegExp(person.name));
    await this.page.getByRole("button", { name: "Sign out" }).waitFor();
    await this.visit.settle();
    assert.equal((await this.focus())?.role, "heading", "after signing in, the focus is at the heading");
  }

  /** Goes to a screen by the palette. */
  async go(words) {
    await this.press("Control+k");
    await this.page.getByRole("combobox", { name: "Go to a screen or do something" }).waitFor();
    await this.type(words);
    await this.press("Enter");
  }
}

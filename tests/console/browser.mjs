// A browser on the console of a running sample company, and the API as the same person asks it.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const url = process.env.ACCREDIT_URL;
const shots = process.env.ACCREDIT_SCREENSHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A desk and a narrow phone. */
export const WIDTHS = { desk: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };

let browser;
export async function openBrowser() {
  browser ??= await chromium.launch({
    executablePath: process.env.ACCREDIT_BROWSER,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--lang=en-GB"],
  });
  return browser;
}
export const closeBrowser = () => browser?.close();

/** The people of the sample company by role. */
export async function people() {
  const welcome = await (await fetch(`${url}/v1/welcome`)).json();
  const find = (test) => welcome.demo.find(test);
  return {
    seller: find((one) => one.role === "payee" && one.title.startsWith("Account")),
    manager: find((one) => one.role === "payee" && one.title.startsWith("Sales Manager")),
    administrator: find((one) => one.role === "admin"),
    consultant: find((one) => one.role === "author"),
    auditor: find((one) => one.role === "auditor"),
  };
}

/** A page that fails the test at its end if it asked another host, broke the policy of contents or threw. */
export class Visit {
  static async begin(options = {}) {
    const context = await (await openBrowser()).newContext({
      viewport: WIDTHS.desk, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", colorScheme: "light", ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    return new Visit(context, page);
  }

  constructor(context, page) {
    this.context = context;
    this.page = page;
    this.faults = [];
    page.on("pageerror", (error) => this.faults.push(`the page threw: ${error.message}`));
    page.on("console", (message) => {
      // Chromium writes every refused request; tests look at those themselves.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) this.faults.push(message.text());
    });
    page.on("request", (request) => {
      const asked = request.url();
      if (!asked.startsWith(url) && !asked.startsWith("blob:") && !asked.startsWith("data:")) this.faults.push(`another host was asked: ${asked}`);
    });
  }

  /** Signs in by the button of the sample company. */
  async signIn(person) {
    await this.page.goto(`${url}/sign-in`);
    await this.page.getByRole("button", { name: person.name }).click();
    await this.page.getByRole("button", { name: "Sign out" }).waitFor();
    return this;
  }

  async open(path) {
    await this.page.goto(url + path);
    await this.settle();
  }

  /** Waits until the screen shows what it loaded. */
  async settle() {
    await this.page.locator("main h1").first().waitFor();
    await this.page.waitForFunction(() => !document.querySelector(".loading") && !/^Loading …$/m.test(document.querySelector("main")?.innerText ?? ""));
  }

  /** The API, with the cookie of the person. */
  async api(method, path, body) {
    const answer = await this.context.request.fetch(url + path, {
      method,
      data: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { "content-type": "application/json" },
    });
    const text = await answer.text();
    return { status: answer.status(), body: text ? JSON.parse(text) : null };
  }
  async get(path) {
    const answer = await this.api("GET", path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async getText(path) {
    return (await this.context.request.get(url + path, { headers: { accept: "text/plain" } })).text();
  }

  /** The amounts that a part of the screen shows, as the server sent them. */
  amounts(within = "main") {
    return this.page.locator(`${within} .amount`).evaluateAll((all) => all.map((one) => one.dataset.amount));
  }

  /** What axe finds that is serious or worse, as `rule: place`. */
  async axe() {
    await this.page.evaluate(axe);
    return this.page.evaluate(async () => {
      const found = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], resultTypes: ["violations"] });
      const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
      return serious.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(" ")} (${node.failureSummary?.split("\n")[1]?.trim() ?? ""})`));
    });
  }

  async theme(name) {
    await this.page.evaluate((wanted) => localStorage.setItem("accredit-theme", wanted), name);
  }

  async screenshot(name) {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    await this.page.screenshot({ path: `${shots}/${name}.png`, fullPage: false });
  }

  async end() {
    await this.context.close();
    if (this.faults.length > 0) throw new Error(`faults of the page:\n${[...new Set(this.faults)].join("\n")}`);
  }
}

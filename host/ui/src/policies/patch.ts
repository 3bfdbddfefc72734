// An earlier text out of a later one: the API shows what differs between two versions, not each version.

/** Lines of a hunk, and where it is in the later text, from 0. */
type Hunk = { at: number; length: number; before: string[] };

function readHunks(diff: string): Hunk[] {
  const hunks: Hunk[] = [];
  let hunk: Hunk | undefined;
  let last = "";
  // A line of a text may end with any white space, so only the line break is cut.
  for (const line of diff.split(/(?<=\n)/)) {
    const head = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (head) {
      const length = head[2] === undefined ? 1 : Number(head[2]);
      // Where nothing of the later text is in a hunk, it names the line before.
      hunk = { at: Number(head[1]) - (length === 0 ? 0 : 1), length, before: [] };
      hunks.push(hunk);
    } else if (hunk && line.startsWith("\\")) {
      // "No newline at end of file" speaks of the line before.
      if (last === " " || last === "-") hunk.before.push((hunk.before.pop() ?? "").replace(/\r?\n$/, ""));
    } else if (hunk) {
      last = line.charAt(0);
      if (last === " " || last === "-") hunk.before.push(line.slice(1));
    }
  }
  return hunks;
}

/** The text before a difference, from the text behind it. */
export function textBefore(diff: string, after: string): string {
  const lines = after === "" ? [] : after.split(/(?<=\n)/);
  const made: string[] = [];
  let at = 0;
  for (const hunk of readHunks(diff)) {
    made.push(...lines.slice(at, hunk.at), ...hunk.before);
    at = hunk.at + hunk.length;
  }
  return [...made, ...lines.slice(at)].join("");
}

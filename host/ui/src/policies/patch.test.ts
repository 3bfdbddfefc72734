import { expect, test } from "vitest";
import { textBefore } from "./patch";

const HEAD = "--- a\n+++ b\n";
const NO_BREAK = "\\ No newline at end of file\n";

const cases: [name: string, diff: string, after: string, before: string][] = [
  ["nothing differs", "", "a\nb\n", "a\nb\n"],
  ["a line in the middle", `${HEAD}@@ -1,5 +1,5 @@\n a\n b\n-c\n+x\n d\n e\n`, "a\nb\nx\nd\ne\nf\n", "a\nb\nc\nd\ne\nf\n"],
  ["two places", `${HEAD}@@ -1,3 +1,2 @@\n-1\n 2\n 3\n@@ -8,2 +7,3 @@\n 8\n+new\n 9\n`, "2\n3\n4\n5\n6\n7\n8\nnew\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"],
  ["everything is new", `${HEAD}@@ -0,0 +1,2 @@\n+a\n+b\n`, "a\nb\n", ""],
  ["everything went", `${HEAD}@@ -1,2 +0,0 @@\n-a\n-b\n`, "", "a\nb\n"],
  ["one line of one", `${HEAD}@@ -1 +1 @@\n-a\n+b\n`, "b\n", "a\n"],
  ["a line went between others", `${HEAD}@@ -2 +1,0 @@\n-b\n`, "a\nc\n", "a\nb\nc\n"],
  ["the later text has no last line break", `${HEAD}@@ -1,2 +1,2 @@\n a\n-b\n+c\n${NO_BREAK}`, "a\nc", "a\nb\n"],
  ["the earlier text has no last line break", `${HEAD}@@ -1,2 +1,2 @@\n a\n-b\n${NO_BREAK}+c\n`, "a\nc\n", "a\nb"],
  ["lines that begin like a diff", `${HEAD}@@ -1,2 +1,2 @@\n---- a\n++++ b\n @@ x\n`, "+++ b\n@@ x\n", "--- a\n@@ x\n"],
];

test.each(cases)("%s", (_, diff, after, before) => {
  expect(textBefore(diff, after)).toBe(before);
});

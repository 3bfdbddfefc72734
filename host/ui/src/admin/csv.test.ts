import { describe, expect, it } from "vitest";
import { csvRecords, guessDelimiter, parseCsv, parsePasted, printCsv } from "./csv";

describe("a file that nobody touched is written as it was", () => {
  const files = [
    "plan,target,period,amount\nae,ana,2026-Q1,300000\n",
    "plan,target\r\nae,\"Lopez, Ana\"\r\n",
    "a,b\n\"said \"\"yes\"\"\",2\n\n3,4",
    "a;b\n1,5;2\n",
    "\ufeffid,name\n1,\"two\nlines\"\n",
    "a,b\n \"x\" ,  y\n",
    "",
    "only,a,header",
    "a,b\n\"quoted\",plain\n",
  ];
  it.each(files)("%j", (text) => {
    expect(printCsv(parseCsv(text))).toBe(text);
  });
});

describe("changes", () => {
  it("a changed cell changes its row alone", () => {
    const table = parseCsv("a,b\n\"1\",x\n\"2\",y\n");
    table.rows[1] = ["2", "z, w"];
    expect(printCsv(table)).toBe("a,b\n\"1\",x\n2,\"z, w\"\n");
  });

  it("a removed row leaves the others as they were written", () => {
    const table = parseCsv("a,b\n\"1\",x\n\"2\",y\n");
    table.rows.splice(0, 1);
    expect(printCsv(table)).toBe("a,b\n\"2\",y\n");
  });

  it("an added row has the newline of the file", () => {
    const table = parseCsv("a,b\r\n1,2\r\n");
    table.rows.push(["3", " spaced "]);
    expect(printCsv(table)).toBe("a,b\r\n1,2\r\n3,\" spaced \"\r\n");
  });
});

describe("reading", () => {
  it.each([
    ["a,b;c\n", ","],
    ["a;b;c,d\n", ";"],
    ["a\tb\n", "\t"],
    ["\"x;y;z\",b\n", ","],
    ["one\n", ","],
  ])("the sign between cells of %j is %j", (text, sign) => {
    expect(guessDelimiter(text)).toBe(sign);
  });

  it("rows by the header, without blank lines", () => {
    expect(csvRecords("id, name\n1,\"A, B\"\n\n2\n")).toEqual([
      { id: "1", name: "A, B" },
      { id: "2", name: "" },
    ]);
  });

  it.each([
    ["1\t2\n3\t4\n", [["1", "2"], ["3", "4"]]],
    ["1,2\r\n3,4", [["1", "2"], ["3", "4"]]],
    ["one", [["one"]]],
    ["a\t\"b\nc\"", [["a", "b\nc"]]],
  ])("pasted %j", (text, rows) => {
    expect(parsePasted(text)).toEqual(rows);
  });
});

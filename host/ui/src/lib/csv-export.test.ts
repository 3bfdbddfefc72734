import { expect, test } from "vitest";
import { csvText } from "./csv-export";

test.each([
  ["a plain text", "Acme", "Acme"],
  ["a comma", "Acme, Inc.", '"Acme, Inc."'],
  ["a quote", 'the "big" one', '"the ""big"" one"'],
  ["two lines", "a\nb", '"a\nb"'],
  ["a formula", "=1+1", "'=1+1"],
  ["a formula with a comma", "=SUM(A1,A2)", '"\'=SUM(A1,A2)"'],
  ["a command", "@cmd", "'@cmd"],
  ["a formula that begins with a minus", "-1+cmd", "'-1+cmd"],
  ["a negative amount", "-12.50", "-12.50"],
  ["nothing", "", ""],
])("%s", (_, text, cell) => expect(csvText([[text]])).toBe(`${cell}\r\n`));

test("lines end as RFC 4180 asks", () => expect(csvText([["a", "b"], ["1", "2"]])).toBe("a,b\r\n1,2\r\n"));

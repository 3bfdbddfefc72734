import { expect, test } from "vitest";
import { readDeal, writeDeal } from "./deals";

test.each([
  ['{"amount": "1.00", "seats": 4}', undefined],
  ["{", /not JSON/],
  ["[1]", /one object/],
  ["{}", /no columns/],
  ["null", /one object/],
])("%s", (text, problem) => {
  const read = readDeal(text);
  if (problem) expect("problem" in read && read.problem).toMatch(problem);
  else expect(read).toEqual({ deal: JSON.parse(text) });
});

test("a deal is written as it is read", () => {
  const deal = { amount: "1.10", owner: "Ann" };
  expect(readDeal(writeDeal(deal))).toEqual({ deal });
});

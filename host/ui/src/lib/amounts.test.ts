import { describe, expect, test } from "vitest";
import { addAmounts, compareAmounts, isAmount, isNegative, isZero, share, subtractAmounts, sumAmounts } from "./amounts";

describe("amounts are added as decimals", () => {
  test.each([
    ["0.1", "0.2", "0.3"],
    ["-0.05", "0.03", "-0.02"],
    ["9007199254740993", "0.01", "9007199254740993.01"],
    ["1.005", "2", "3.005"],
    ["100.00", "-100.00", "0.00"],
  ])("%s + %s = %s", (left, right, sum) => {
    expect(addAmounts(left, right)).toBe(sum);
    expect(compareAmounts(subtractAmounts(sum, right), left)).toBe(0);
  });

  test("a sum keeps the places of its parts", () => expect(sumAmounts(["1.50", "2.25", "-0.75"])).toBe("3.00"));
  test("nothing is zero", () => expect(sumAmounts([])).toBe("0"));
});

test.each([
  ["10", "9.99", 1],
  ["-1", "0", -1],
  ["2.50", "2.5", 0],
])("%s against %s", (left, right, order) => expect(Math.sign(compareAmounts(left, right))).toBe(order));

test("what is no amount is refused, and never becomes zero", () => {
  for (const text of ["", "abc", "1,5", "1e3", " 1", "--1"]) {
    expect(isAmount(text)).toBe(false);
    expect(() => addAmounts(text, "1")).toThrow(/not an amount/);
  }
});

test("signs", () => {
  expect([isZero("0.00"), isZero("-0"), isZero("0.01")]).toEqual([true, true, false]);
  expect([isNegative("-0.01"), isNegative("0"), isNegative("3")]).toEqual([true, false, false]);
});

test.each([
  ["50", "200", 25],
  ["-5", "10", 0],
  ["1", "0", 0],
  ["300", "200", 150],
])("%s of %s is %d percent of a bar", (part, whole, percent) => expect(share(part, whole)).toBe(percent));

import { expect, test } from "vitest";
import { headOf, SHIPPED, shippedCases, shippedScript } from "./shipped";

test("every shipped policy has its script with a head, and cases", async () => {
  expect(SHIPPED.length).toBeGreaterThan(15);
  for (const { kind, name } of SHIPPED) {
    const script = await shippedScript(kind, name);
    expect(headOf(script ?? ""), name).toHaveLength(3);
    expect(await shippedCases(kind, name), name).toContain("## ");
  }
});

test("a head is read by its paragraphs", () => {
  expect(headOf("/// A.\n/// B.\n///\n/// Needs: c\n/// d.\n/// Example: e.\nfn f() {}\n/// g")).toEqual(["A. B.", "Needs: c d.", "Example: e."]);
});

import { describe, expect, it } from "vitest";
import { refusalText } from "./refusals";

describe("refusals of sources", () => {
  it("says a known code in words, and shows another one as it is", () => {
    expect(refusalText("unauthentic")).toBe("its signature does not match");
    expect(refusalText("no_such_code")).toBe("no such code");
  });
});

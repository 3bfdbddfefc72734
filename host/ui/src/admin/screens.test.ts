import { describe, expect, it } from "vitest";
import { screenGroups, screenOf } from "./screens";

describe("which screen an address opens", () => {
  it.each<[string[], string | null]>([
    [[], ""],
    [["periods"], "periods"],
    [["periods", "2026-01"], "periods"],
    [["periods", "2026-01", "ae"], "periods"],
    [["periods", "2026-01", "ae", "more"], null],
    [["alerts", "1"], null],
    [["nothing"], null],
    [["al"], null],
  ])("%j", (parts, path) => {
    expect(screenOf(parts)?.screen.path ?? null).toBe(path);
  });

  it("a list and its detail are different screens", () => {
    expect(screenOf(["credits"])?.load).not.toBe(screenOf(["credits", "crd_1"])?.load);
  });

  it("each path is there once", () => {
    const paths = screenGroups.flatMap((group) => group.screens.map((screen) => screen.path));
    expect(new Set(paths).size).toBe(paths.length);
  });
});

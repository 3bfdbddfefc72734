import { expect, it } from "vitest";
import { formatBytes } from "./bytes";

it.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [41_300_000, "41.3 MB"],
  [2_000, "2 kB"],
  [7_300_000_000, "7.3 GB"],
])("%i bytes", (bytes, text) => {
  expect(formatBytes(bytes, "en")).toBe(text);
});

import { expect, test } from "vitest";
import { decodeShared, encodeShared } from "./share";

const shared = { kind: "hold", policy: "fn hold(tx, credit) { `é😀` }\n".repeat(40), plan: 'name = "P"\n', deal: '{"amount": "1.00"}' };

test("a link brings everything back, and is shorter than its text", async () => {
  const fragment = await encodeShared(shared);
  expect(fragment).toMatch(/^z1\.[\w-]+$/);
  expect(fragment.length).toBeLessThan(shared.policy.length / 2);
  expect(await decodeShared(`#${fragment}`)).toEqual(shared);
});

test("a browser that cannot compress makes a longer link", async () => {
  const compression = globalThis.CompressionStream;
  Reflect.deleteProperty(globalThis, "CompressionStream");
  try {
    const fragment = await encodeShared(shared);
    expect(fragment).toMatch(/^t1\./);
    expect(await decodeShared(fragment)).toEqual(shared);
  } finally {
    globalThis.CompressionStream = compression;
  }
});

test.each(["", "#content", "z1.!!", "z1.AAAA", "t1.e30"])("%s carries nothing", async (fragment) => {
  expect(await decodeShared(fragment)).toBeNull();
});

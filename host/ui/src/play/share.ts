// A link that carries what is in the playground: in the fragment of the address, which no server sees.

export type Shared = { kind: string; policy: string; plan: string; deal: string };

/** `z` is compressed, `t` is plain text; the number is that of this format. */
const COMPRESSED = "z1.";
const PLAIN = "t1.";

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const piped = new Blob([bytes as BlobPart]).stream().pipeThrough(stream as unknown as ReadableWritablePair<Uint8Array, Uint8Array>);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

function toText(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const toBytes = (text: string): Uint8Array => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

/** The fragment, without `#`. */
export async function encodeShared(shared: Shared): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  if (typeof CompressionStream === "undefined") return PLAIN + toText(bytes);
  return COMPRESSED + toText(await through(bytes, new CompressionStream("deflate-raw")));
}

/** What a fragment carries; null where it is none of the playground's or is damaged. */
export async function decodeShared(fragment: string): Promise<Shared | null> {
  const text = fragment.replace(/^#/, "");
  const kind = [COMPRESSED, PLAIN].find((prefix) => text.startsWith(prefix));
  if (!kind) return null;
  try {
    const sent = toBytes(text.slice(kind.length));
    const bytes = kind === COMPRESSED ? await through(sent, new DecompressionStream("deflate-raw")) : sent;
    const read = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Shared>;
    const texts = [read.kind, read.policy, read.plan, read.deal];
    return texts.every((one) => typeof one === "string") ? (read as Shared) : null;
  } catch {
    return null;
  }
}

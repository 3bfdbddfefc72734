// The whole audit trail as a file: the server writes it oldest first, with the bytes that each hash is of.

import { send } from "../../lib/api";

const TYPES = { csv: "text/csv", ndjson: "application/x-ndjson" };

export async function downloadTrail(kind: keyof typeof TYPES): Promise<void> {
  const answer = await send("GET", "/v1/audit", undefined, { headers: { accept: TYPES[kind] } });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = `audit-trail.${kind}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

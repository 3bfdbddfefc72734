// Bodies of routes that are not in `lib/api-types.ts` yet. Each goes when the schema that it names is there.

/** Becomes `Schemas["LineageNode"]`. */
export type LineageNode = { id: string; kind: string; name: string; plan?: string | null; file?: string | null; line?: number | null };
/** Becomes `Schemas["LineageEdge"]`: `to` reads `from`, for `why`. */
export type LineageEdge = { from: string; to: string; why: string };
/** Becomes `Schemas["LineageGraph"]`. */
export type LineageGraph = { nodes: LineageNode[]; edges: LineageEdge[] };

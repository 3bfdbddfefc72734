// Bodies of the API, by the names that this area knows them by.

import type { Schemas } from "../lib/api";

export type LineageNode = Schemas["LineageNode"];
export type LineageEdge = Schemas["LineageEdge"];
export type LineageGraph = Schemas["LineageGraph"];

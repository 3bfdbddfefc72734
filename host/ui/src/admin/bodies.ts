// Bodies of the API, by the names that this area knows them by.

import type { Schemas } from "../lib/api";

export type ChartPerson = Schemas["ChartPerson"];
export type ChartPosition = Schemas["ChartPosition"];
export type ChartRelationship = Schemas["ChartRelationship"];
export type ChartTeam = Schemas["ChartTeam"];
export type OrganizationChart = Schemas["OrganizationChart"];

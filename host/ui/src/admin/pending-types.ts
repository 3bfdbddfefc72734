// Bodies of routes that the types of the API do not have yet. Each names the schema that replaces it.

/** Becomes `Schemas["ChartPerson"]`. */
export type ChartPerson = { payee: string; name: string; from: string | null; to: string | null };

/** Becomes `Schemas["ChartPosition"]`. */
export type ChartPosition = {
  position: string;
  title: string;
  manager: string | null;
  from: string | null;
  to: string | null;
  holders: ChartPerson[];
  quotas?: { plan: string; period: string; credit_type: string | null; quota: string; payee: string | null }[];
};

/** Becomes `Schemas["ChartRelationship"]`. */
export type ChartRelationship = { type: string; source: string; target: string; from: string | null; to: string | null };

/** Becomes `Schemas["ChartTeam"]`. */
export type ChartTeam = { team: string; name: string; parent: string | null; manager: string | null; members: ChartPerson[] };

/** `GET /v1/organization?on=`; becomes `Schemas["OrganizationChart"]`. */
export type OrganizationChart = {
  on: string;
  /** The days on which anything of the organization changes, in order. */
  changes: string[];
  positions: ChartPosition[];
  without_position: ChartPerson[];
  teams: ChartTeam[];
  relationships: ChartRelationship[];
};

// Positions as a tree by whom they report to, and which rows of it are in sight.

import type { ChartPosition } from "../bodies";

export type TreeNode = { position: ChartPosition; reports: TreeNode[] };
/** A row in sight: `at` and `of` are its place among those beside it. */
export type TreeRow = { node: TreeNode; level: number; at: number; of: number; parent: string | null; isOpen: boolean };

const key = (id: string) => id.toLowerCase();

/** Roots report to nobody, or to a position that is not there on the day. A circle is cut at its first position. */
export function buildTree(positions: ChartPosition[]): TreeNode[] {
  const nodes = new Map(positions.map((position) => [key(position.position), { position, reports: [] as TreeNode[] }]));
  const roots: TreeNode[] = [];
  for (const [id, node] of nodes) {
    const above = node.position.manager ? nodes.get(key(node.position.manager)) : undefined;
    if (above && !reportsTo(nodes, node.position.manager, id)) above.reports.push(node);
    else roots.push(node);
  }
  return roots;
}

/** Whether the chain above `from` comes to `wanted`, which would make a circle of them. */
function reportsTo(nodes: Map<string, TreeNode>, from: string | null, wanted: string): boolean {
  const seen = new Set<string>();
  for (let at = from; at !== null && !seen.has(key(at)); at = nodes.get(key(at))?.position.manager ?? null) {
    if (key(at) === wanted) return isFirstOf(nodes, wanted, at);
    seen.add(key(at));
  }
  return false;
}

/** In a circle, the position that comes first in the file is the root. */
function isFirstOf(nodes: Map<string, TreeNode>, wanted: string, start: string): boolean {
  const circle = new Set<string>([wanted]);
  for (let at = nodes.get(key(start))?.position.manager ?? null; at !== null && !circle.has(key(at)); at = nodes.get(key(at))?.position.manager ?? null) circle.add(key(at));
  return [...nodes.keys()].find((id) => circle.has(id)) === wanted;
}

export const countOf = (node: TreeNode): number => node.reports.reduce((sum, one) => sum + 1 + countOf(one), 0);

export function matches(position: ChartPosition, words: string[]): boolean {
  const text = [position.position, position.title, ...position.holders.flatMap((one) => [one.name, one.payee])].join(" ").toLowerCase();
  return words.length > 0 && words.every((word) => text.includes(word));
}

/** Ids of all nodes above a match, which have to be open to see it. */
export function aboveMatches(nodes: TreeNode[], words: string[]): Set<string> {
  const open = new Set<string>();
  const visit = (node: TreeNode): boolean => {
    const below = node.reports.map(visit).some(Boolean);
    if (below) open.add(node.position.position);
    return below || matches(node.position, words);
  };
  nodes.forEach(visit);
  return open;
}

export function rowsInSight(nodes: TreeNode[], open: Set<string>, level = 1, parent: string | null = null): TreeRow[] {
  return nodes.flatMap((node, at) => {
    const id = node.position.position;
    const isOpen = open.has(id);
    const row: TreeRow = { node, level, at: at + 1, of: nodes.length, parent, isOpen };
    return isOpen ? [row, ...rowsInSight(node.reports, open, level + 1, id)] : [row];
  });
}

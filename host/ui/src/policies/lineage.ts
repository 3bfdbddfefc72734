// What feeds what, as a graph that is walked from one of its nodes in both directions.

import type { LineageGraph, LineageNode } from "./bodies";

export type Step = { node: LineageNode; why: string };
export type Direction = "reads" | "feeds";

export class Lineage {
  readonly nodes: LineageNode[];
  readonly #byId: Map<string, LineageNode>;
  readonly #steps: Record<Direction, Map<string, Step[]>> = { reads: new Map(), feeds: new Map() };

  constructor(graph: LineageGraph) {
    this.nodes = graph.nodes;
    this.#byId = new Map(graph.nodes.map((node) => [node.id, node]));
    for (const edge of graph.edges) {
      const [from, to] = [this.#byId.get(edge.from), this.#byId.get(edge.to)];
      if (!from || !to) continue;
      this.#add("reads", edge.to, { node: from, why: edge.why });
      this.#add("feeds", edge.from, { node: to, why: edge.why });
    }
  }

  #add(direction: Direction, id: string, step: Step): void {
    const steps = this.#steps[direction].get(id) ?? [];
    // Two edges between the same nodes are one step with both reasons.
    const known = steps.find((one) => one.node === step.node);
    if (!known) this.#steps[direction].set(id, [...steps, step]);
    else if (!known.why.split(", ").includes(step.why)) known.why = `${known.why}, ${step.why}`;
  }

  find(id: string): LineageNode | undefined {
    return this.#byId.get(id);
  }

  /** What a node reads, or what reads it; without what is on the way already, so that no circle goes on for ever. */
  steps(direction: Direction, id: string, way: string[] = []): Step[] {
    const steps = this.#steps[direction].get(id) ?? [];
    return steps.filter((one) => !way.includes(one.node.id)).toSorted((left, right) => left.node.kind.localeCompare(right.node.kind) || left.node.name.localeCompare(right.node.name));
  }

  /** How many nodes are reached in a direction, near and far. */
  reach(direction: Direction, id: string): number {
    const seen = new Set([id]);
    const open = [id];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const step of this.#steps[direction].get(at) ?? []) {
        if (seen.has(step.node.id)) continue;
        seen.add(step.node.id);
        open.push(step.node.id);
      }
    }
    return seen.size - 1;
  }
}

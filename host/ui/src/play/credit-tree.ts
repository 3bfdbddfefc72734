// The credits of one deal as they came about: each direct credit, and what rolled up from it, step by step.

import type { Schemas } from "../lib/api";

export type PostedCredit = Schemas["PostedCredit"];
export type CreditNode = { credit: PostedCredit; rolled: CreditNode[] };

/**
 * One tree a direct credit. An indirect credit stands below the credit one level lower along the same
 * relationship, if the chain has one, and otherwise below the direct credit that it comes from.
 */
export function creditTrees(credits: PostedCredit[]): CreditNode[] {
  const direct = credits.filter((one) => !one.source);
  const trees = direct.map((credit): CreditNode => ({ credit, rolled: [] }));

  for (const tree of trees) {
    const rolled = credits.filter((one) => one.source === tree.credit.id);
    const chains = new Map<string, CreditNode>();
    for (const credit of rolled.toSorted((left, right) => (left.level ?? 0) - (right.level ?? 0))) {
      const node: CreditNode = { credit, rolled: [] };
      const chain = (level: number) => [credit.rule, credit.result, credit.relationship, credit.via, level].join("\n");
      const level = credit.level ?? 1;
      // A level may be vacant or left out: the nearest one below is taken.
      let below: CreditNode | undefined;
      for (let lower = level - 1; lower > 0 && !below; lower -= 1) below = chains.get(chain(lower));
      (below ?? tree).rolled.push(node);
      chains.set(chain(level), node);
    }
  }
  return trees;
}

/** Who has a credit: the payee with the position, or what there is of the two. */
export function receiverOf(credit: PostedCredit, nameOf: (payee: string) => string = (payee) => payee): string {
  const payee = credit.payee ? nameOf(credit.payee) : null;
  if (payee && credit.position && credit.payee !== credit.position) return `${payee} (${credit.position})`;
  return payee ?? credit.position ?? credit.team ?? "nobody";
}

// Periods as a calendar: the longest first, each with those that lie in it.

export type Span = { id: string; first: string; last: string | null };
export type Node<P extends Span> = { period: P; inside: Node<P>[] };

const FAR = "9999-12-31";
const lastDay = (period: Span) => period.last ?? FAR;
const holds = (outer: Span, inner: Span) => outer.first <= inner.first && lastDay(outer) >= lastDay(inner);

/** Years with their quarters with their months; whatever the kind of the calendar is. */
export function periodTree<P extends Span>(periods: P[]): Node<P>[] {
  const days = (period: Span) => Date.parse(lastDay(period)) - Date.parse(period.first);
  const ordered = periods.toSorted((left, right) => left.first.localeCompare(right.first) || days(right) - days(left));
  const roots: Node<P>[] = [];
  const open: Node<P>[] = [];
  for (const period of ordered) {
    while (open.length > 0 && !holds((open.at(-1) as Node<P>).period, period)) open.pop();
    const node: Node<P> = { period, inside: [] };
    (open.at(-1)?.inside ?? roots).push(node);
    open.push(node);
  }
  return roots;
}

/** The periods that have none inside: the ones that are closed and finalized. */
export function leavesOf<P extends Span>(nodes: Node<P>[]): P[] {
  return nodes.flatMap((node) => (node.inside.length === 0 ? [node.period] : leavesOf(node.inside)));
}

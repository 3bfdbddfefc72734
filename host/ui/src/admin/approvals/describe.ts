// What a request that waits for a second person would do, in one sentence and the facts behind it.

type Facts = Record<string, unknown>;

export type Described = {
  sentence: string;
  facts: [string, string][];
  href: string | null;
  /** The credit that it is about, to be shown with its amount. */
  credit: string | null;
};

const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");
const at = encodeURIComponent;

/** Members of the request that the sentence does not say, written out. */
function factsOf(request: Facts): [string, string][] {
  const said = new Set(["act", "request_key"]);
  const rows: [string, string][] = [];
  const add = (prefix: string, value: unknown): void => {
    if (value === null || value === undefined || value === "" || value === false) return;
    if (Array.isArray(value)) {
      if (value.length > 0) rows.push([prefix, value.map(text).join(", ")]);
    } else if (typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) add(prefix ? `${prefix}, ${key}` : key, inner);
    } else rows.push([prefix.replaceAll("_", " "), value === true ? "yes" : text(value)]);
  };
  for (const [key, value] of Object.entries(request)) {
    // What is new is told by its own members, without the names of the boxes around it.
    const inner = key === "subject" && typeof value === "object" && value !== null ? (Object.values(value)[0] as unknown) : value;
    if (!said.has(key)) add(inner !== null && typeof inner === "object" && !Array.isArray(inner) ? "" : key, inner);
  }
  return rows;
}

/** The only member of an enumeration such as `{"credit": "crd_1"}`. */
function subjectOf(value: unknown): [string, string] {
  if (typeof value !== "object" || value === null) return ["", text(value)];
  const [kind, id] = Object.entries(value)[0] ?? ["", ""];
  return [kind, text(id)];
}

const ACTIONS: Record<string, string> = { adjust_to: "Set the amount of", adjust_by: "Change the amount of", reset: "End the adjustment of", hold: "Hold", release: "Release the hold of" };

function givenByHand(request: Facts): [string, string | null] {
  const what = request.act === "add_credit" ? "credit" : "reward";
  const subject = (typeof request.subject === "object" && request.subject !== null ? request.subject : {}) as Facts;
  const made = subject.new as Facts | undefined;
  if (!made) {
    const id = text(subject.reversal);
    return [`Take the ${what} ${id} back`, what === "credit" && id ? `/admin/credits/${at(id)}` : null];
  }
  const whom = text(made.payee) || text(made.position);
  return [`Give ${whom} a ${what} of ${text(made.amount)}${made.unit_type ? ` ${text(made.unit_type)}` : ""} in ${text(made.plan)}, ${text(made.period) || text(made.incentive_date)}`, null];
}

function accessSentence(request: Facts): string {
  const change = (typeof request.change === "object" && request.change !== null ? request.change : {}) as Facts;
  const whom = `the ${text(request.subject)} “${text(request.name)}”`;
  switch (change.to) {
    case "grant":
      return `Give ${whom} the role ${text(change.role)}`;
    case "secret":
      return `Let ${whom} have another secret`;
    case "enable":
      return `Let ${whom} sign in again`;
    default:
      return `Change what ${whom} may do`;
  }
}

function sentenceOf(request: Facts): [string, string | null] {
  const [plan, period] = [text(request.plan), text(request.period)];
  const calculation = plan && period ? `/admin/periods/${at(period)}/${at(plan)}` : null;
  const amount = text(request.amount);
  switch (request.act) {
    case "adjust": {
      const [kind, id] = subjectOf(request.subject);
      const what = kind.toLowerCase() === "transaction" ? `deal ${id}` : `credit ${id}`;
      const tail = amount === "" ? "" : request.action === "adjust_by" ? ` by ${amount}` : ` to ${amount}`;
      return [`${ACTIONS[text(request.action)] ?? "Adjust"} ${what}${tail}`, kind.toLowerCase() === "transaction" ? `/admin/deals/${at(id)}` : `/admin/credits/${at(id)}`];
    }
    case "void":
      return [`Make deal ${text(request.transaction)} void`, `/admin/deals/${at(text(request.transaction))}`];
    case "add_credit":
    case "add_reward":
      return givenByHand(request);
    case "resolve":
      return [`${ACTIONS[text(request.action)] ?? "Change the hold of"} credit ${text(request.credit)}`, `/admin/credits/${at(text(request.credit))}`];
    case "release_holds":
      return ["Release every hold that fits the filter", "/admin/holds"];
    case "release_calculation":
      return [`Release the ${text(request.what)} of ${plan}, ${period} to its payees`, calculation];
    case "delete_calculation":
      return [`Remove the release of ${plan}, ${period}`, calculation];
    case "period":
      return [`${({ close: "Close", reopen: "Reopen", finalize: "Finalize" } as Record<string, string>)[text(request.to)] ?? "Change"} period ${text(request.id)}`, `/admin/periods/${at(text(request.id))}`];
    case "access":
      return [accessSentence(request), "/admin/people"];
    case "run":
      return [`Run ${plan}, ${period} by the rules in force`, calculation];
    default:
      return [text(request.act).replaceAll("_", " ") || "A request", null];
  }
}

export function describeRequest(request: unknown): Described {
  const known = (typeof request === "object" && request !== null ? request : {}) as Facts;
  const [sentence, href] = sentenceOf(known);
  const isOfCredit = href?.startsWith("/admin/credits/") ?? false;
  return { sentence, href, facts: factsOf(known), credit: isOfCredit && href ? decodeURIComponent(href.split("/").pop() ?? "") : null };
}

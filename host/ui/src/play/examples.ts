// What the playground begins with: policies of each kind, the plan that uses one, and a deal of the demonstration.

import { POLICY_KINDS } from "../lib/policy-kinds";

/** The name of the policy and of the plan of the playground: paths of their own, so that no file in force is replaced. */
export const PLAY_NAME = "playground";
export const policyPath = (kind: string): string => `policies/${kind}/${PLAY_NAME}.rhai`;
export const PLAN_PATH = `plans/${PLAY_NAME}.toml`;

/** Kinds whose effect on one deal can be shown. */
export const PLAY_KINDS = POLICY_KINDS.filter((one) => ["filter", "crediting", "value", "hold", "duplication", "rollup"].includes(one.kind));

export type Example = { kind: string; name: string; policy: string };

const MORE: Example[] = [
  {
    kind: "crediting",
    name: "A specialist has a quarter on top",
    policy: `/// Credits the owner, and for deals of one product the specialist with a quarter on top.
///
/// Needs: \`owner\` and \`product\` in [fields]; the specialist is a person or a position.
/// Example: of a deal of 1,000 for the product the owner has 1,000 and the specialist 250.
const PRODUCT = "Controller";
const SPECIALIST = "SE-01";

fn credit(tx) {
    if tx.product == PRODUCT {
        return [share(tx.default_credit, 1), share(SPECIALIST, 0.25)];
    }
    tx.default_credit
}
`,
  },
  {
    kind: "crediting",
    name: "Large deals are shared with the desk",
    policy: `/// Credits the owner with four fifths of large deals, and a second seller with the rest.
///
/// Needs: \`amount\` and \`owner\` in [fields].
/// Example: of a deal of 60,000 the owner has 48,000 and the second seller 12,000.
const LARGE = 50000;
const SECOND = "AE-02";

fn credit(tx) {
    if tx.amount <= LARGE {
        return tx.default_credit;
    }
    [share(tx.default_credit, 0.8), share(SECOND, 0.2)]
}
`,
  },
  {
    kind: "value",
    name: "A part by product",
    policy: `/// Counts a part of each deal, by its product.
///
/// Needs: \`amount\` and \`product\` in [fields].
/// Example: a deal of 1,000 counts 1,000 for a gauge and 500 for a service.
fn value(tx, to) {
    let part = switch tx.product {
        "Gauge" | "Sensor" => 1,
        "Controller" if tx.amount > 20000 => 1.2,
        "Service" => 0.5,
        _ => 0.8,
    };
    tx.amount * part
}
`,
  },
  {
    kind: "hold",
    name: "Until the next quarter",
    policy: `/// Holds every direct credit until the next quarter begins.
///
/// Needs: nothing.
/// Example: a credit of 12 January is held until 1 April.
fn hold(tx, credit) {
    if credit.kind == "direct" {
        hold_until_next("quarter")
    } else {
        no_hold()
    }
}
`,
  },
  {
    kind: "rollup",
    name: "A rate by level",
    policy: `/// Pays the first manager 5 %, the second 2 %, and nobody above.
///
/// Needs: the relationship Reporting.
/// Example: of a direct credit of 1,000 the manager has 50 and the director 20.
fn roll(tx, credit, to, existing) {
    switch to.level {
        1 => credit.amount * 0.05,
        2 => credit.amount * 0.02,
        _ => (),
    }
}
`,
  },
];

export const EXAMPLES: Example[] = PLAY_KINDS.flatMap(({ kind, decides, example }) => [
  { kind, name: decides.replace(/\.$/, ""), policy: example },
  ...MORE.filter((one) => one.kind === kind),
]);

/** The plan that uses the policy: everyone is credited, and managers get what their people close. */
export function planFor(kind: string, creditType: string): string {
  const assign = kind === "crediting" ? "policy" : "owner";
  return `# The plan that uses the policy. Everything that it does not say follows the rules in force.
name = "Playground"
targets = ["*"]
split = "equal"
policies = { ${kind} = "${PLAY_NAME}" }

[[direct]]
name = "Deal"
assign = "${assign}"
  [[direct.results]]
  name = "Deal credit"
${creditType ? `  credit_type = "${creditType}"\n` : ""}  rollable = true

[[indirect]]
name = "Managers"
relationship = "Reporting"
  [[indirect.results]]
  name = "Manager's credit"
  ${kind === "duplication" ? "# duplicates are what the policy decides" : "duplicates = true"}
`;
}

/** The credit type of a deal in the demonstration's company. */
export const DEMO_CREDIT_TYPE = "booking";

/** A deal of the demonstration's company. */
export const DEMO_DEAL = {
  deal: "D-PLAY",
  closed_on: "2026-03-12",
  amount: "64000.00",
  owner: "Jonas Dupont",
  team: "North",
  stage: "Won",
  product: "Controller",
  customer: "Alder Mills",
  seats: 40,
};

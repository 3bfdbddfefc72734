// The kinds of policies: what each decides, its function, and a short example that works on any directory.

export type PolicyKind = {
  kind: string;
  label: string;
  decides: string;
  signature: string;
  answers: string;
  sees: string;
  example: string;
};

const RECIPIENTS = "text that names recipients, an array of share(who, weight), or () for no recipient";

export const POLICY_KINDS: PolicyKind[] = [
  {
    kind: "filter",
    label: "Filter",
    decides: "Which deals belong to the plan.",
    signature: "include(tx)",
    answers: "true or false",
    sees: "tx: the deal",
    example: `/// Lets deals in that are worth something.
///
/// Needs: \`amount\` in [fields].
/// Example: a deal of 1,000 belongs to the plan, and one of 0 does not.
fn include(tx) {
    tx.amount != 0
}
`,
  },
  {
    kind: "crediting",
    label: "Crediting",
    decides: "Who is credited with a deal, and with which part.",
    signature: "credit(tx)",
    answers: RECIPIENTS,
    sees: "tx: the deal; tx.default_credit is the owner",
    example: `/// Credits the owner.
///
/// Needs: \`owner\` in [fields].
/// Example: owner "Ann" gives Ann the deal.
fn credit(tx) {
    tx.default_credit
}
`,
  },
  {
    kind: "value",
    label: "Value",
    decides: "What a deal is worth, before it is shared.",
    signature: "value(tx, to)",
    answers: "a number: the value of the whole deal",
    sees: "tx: the deal; to: the first recipient",
    example: `/// Counts half of every deal.
///
/// Needs: \`amount\` in [fields].
/// Example: a deal of 1,000 counts 500.
const PART = 0.5;

fn value(tx, to) {
    tx.amount * PART
}
`,
  },
  {
    kind: "hold",
    label: "Hold",
    decides: "Whether a credit waits, and until when.",
    signature: "hold(tx, credit)",
    answers: "a hold such as hold_for(30, \"days\"), a date to hold until, or no_hold()",
    sees: "tx: the deal; credit: the credit",
    example: `/// Holds the credits of large deals for thirty days.
///
/// Needs: \`amount\` in [fields].
/// Example: a deal of 60,000 is held for thirty days after its date.
const LARGE = 50000;

fn hold(tx, credit) {
    if tx.amount > LARGE {
        hold_for(30, "days")
    } else {
        no_hold()
    }
}
`,
  },
  {
    kind: "duplication",
    label: "Duplication",
    decides: "Whether a second credit of the same deal for the same position counts.",
    signature: "allow_duplicate(tx, credit, existing)",
    answers: "true or false: whether the duplicate is allowed",
    sees: "tx: the deal; credit: the credit; existing: all earlier credits of the deal",
    example: `/// Allows a duplicate on every indirect credit.
///
/// Needs: nothing.
/// Example: a manager of two sellers who share a deal has a credit for each of them.
fn allow_duplicate(tx, credit, existing) {
    credit.kind == "indirect"
}
`,
  },
  {
    kind: "rollup",
    label: "Rollup",
    decides: "What a manager or another receiver gets of a direct credit.",
    signature: "roll(tx, credit, to, existing)",
    answers: "an amount, () for none, or a map with amount, credit_type, hold, maximum",
    sees: "tx: the deal; credit: the direct credit; to: the receiver; existing: all earlier credits of the deal",
    example: `/// Gives each receiver less with every level: half, then a quarter, and so on.
///
/// Needs: nothing.
/// Example: of a direct credit of 1,000 the manager has 500 and the manager's manager 250.
fn roll(tx, credit, to, existing) {
    let part = 1;
    for level in 0..to.level {
        part = part / 2;
    }
    credit.amount * part
}
`,
  },
  {
    kind: "reward",
    label: "Reward",
    decides: "What a payee is paid for the credits of a period.",
    signature: "reward(payee, totals, quota)",
    answers: "an amount",
    sees: "payee; totals: the sums of the payee's credits; quota, or () without one; then earned, paid and standing if you name them",
    example: `/// Pays a tenth, and twice that above the quota.
///
/// Needs: a quota, or none: then everything is paid at the first rate.
/// Example: with a quota of 1,000 and 1,500 credited, 100 and 100 are paid.
const RATE = 0.1;

fn reward(payee, totals, quota) {
    if quota == () || totals.credited <= quota {
        return totals.credited * RATE;
    }
    quota * RATE + (totals.credited - quota) * RATE * 2
}
`,
  },
  {
    kind: "quota",
    label: "Quota",
    decides: "What is expected of a payee in a period, where no row of the quota sheet fits.",
    signature: "quota(payee, period)",
    answers: "a number",
    sees: "payee; period: its id, first and last day",
    example: `/// Expects the same of everyone.
///
/// Needs: nothing.
/// Example: everyone has a quota of 10,000.
const QUOTA = 10000;

fn quota(payee, period) {
    QUOTA
}
`,
  },
  {
    kind: "intake",
    label: "Intake",
    decides: "How the body of a webhook becomes a row of a deal.",
    signature: "map(payload)",
    answers: "a row as a map, or an array of rows",
    sees: "payload: the body of the delivery",
    example: `/// Makes a row of a deal.
///
/// Needs: in [fields] \`id = "id"\`, \`date = "closed"\`, \`amount = "amount"\`, \`owner = "owner"\`.
/// Example: a body with the id 4711 gives a row with the id 4711.
fn map(payload) {
    #{
        "id": payload["id"],
        "closed": payload["closed"] ?? "",
        "amount": payload["amount"] ?? "",
        "owner": payload["owner"] ?? "",
    }
}
`,
  },
];

export const kindOf = (kind: string): PolicyKind | undefined => POLICY_KINDS.find((one) => one.kind === kind);
export const kindLabel = (kind: string): string => kindOf(kind)?.label ?? kind;

// What each code of an alert means, and what a person does about it.

export type Meaning = { name: string; what: string; todo: string };

const MEANINGS: Record<string, Meaning> = {
  unmatched: { name: "Name not known", what: "The deal names a person whom the organization does not have.", todo: "Correct the name in the CRM, or add an alias in the organization." },
  nobody: { name: "Policy names nobody", what: "The crediting policy gave no recipient.", todo: "Read the explanation of the deal, then the policy." },
  no_rule: { name: "No rule applies", what: "No rule of the plan takes the deal.", todo: "Check the conditions of the rules." },
  condition: { name: "Condition is false", what: "The condition of a rule leaves the deal out.", todo: "This is usual. Check the condition if the deal should count." },
  vacant: { name: "Position is vacant", what: "Nobody holds the position on the incentive date.", todo: "Add an assignment with the right dates." },
  team_without_members: { name: "Team has no members", what: "The team has no member to credit on the incentive date.", todo: "Add members with the right dates." },
  over_maximum: { name: "Maximum reached", what: "A maximum cut a credit, or left nothing of it.", todo: "This is as the plan says. Check the maximum if it surprises." },
  total_not_one: { name: "Parts are not 1 in all", what: "The parts of the recipients do not add up to the whole deal.", todo: "Correct the weights in the deal or in the policy." },
  ambiguous_alias: { name: "Name means several", what: "A name means several recipients, so the deal is parked.", todo: "Make the alias mean one person, or limit it by dates." },
  ambiguous: { name: "Name means several", what: "A name means several recipients.", todo: "Make the alias mean one person, or limit it by dates." },
  several_recipients: { name: "Several recipients", what: "The deal names several recipients where the plan expects one.", todo: "Correct the deal, or set “split” in the plan." },
  mixed_weights: { name: "Weights are mixed", what: "Some recipients have a weight and others have none.", todo: "Give all of them a weight, or none." },
  no_position: { name: "No position", what: "The person holds no position on the incentive date.", todo: "Add an assignment with the right dates." },
  no_period: { name: "No period", what: "No period of the calendar has the incentive date.", todo: "Correct the date, or add the period to the calendar." },
  bad_value: { name: "Value cannot be read", what: "A cell does not have the type of its column.", todo: "Correct the cell in the CRM, or the column in accredit.toml." },
  policy_error: { name: "Policy failed", what: "A policy or an expression stopped with an error.", todo: "Read the message, and correct the policy." },
  no_currency: { name: "No currency", what: "The deal names no currency and counts in the unit of the result.", todo: "Fill the currency in the CRM." },
  no_exchange_rate: { name: "No exchange rate", what: "There is no rate between two currencies on the incentive date.", todo: "Add the rate to exchange_rates.csv." },
  release_in_other_year: { name: "Hold ends in another year", what: "The credit would be released in another fiscal year, so it stays held.", todo: "Decide with finance. “hold_across_years” in the plan permits it." },
  closed_period: { name: "Posted in a later period", what: "Entries of a closed period are in a later one.", todo: "Check them. Reopening the period takes them home." },
  conflict: { name: "Rows contradict each other", what: "Two rows of the deal have other values.", todo: "Correct the deal in the CRM." },
  columns_missing: { name: "Columns are missing", what: "The latest row lost columns that the deal had.", todo: "Check the export or the webhook of the source." },
  adjustment_not_applied: { name: "Adjustment without a credit", what: "An adjustment has no credit to change any more.", todo: "Look at the deal, and adjust its new credit." },
  no_quota: { name: "No quota", what: "A payee has no quota that the tiers are shares of.", todo: "Add the quota in the sheet of quotas." },
  confirmed_differs: { name: "Paid period would differ", what: "By what is known now, a finalized period would pay something else.", todo: "Check the differences. They are posted in an open period." },
  open_balance: { name: "Open balance", what: "A payee has left and still owes something.", todo: "Decide with finance, then add a reward by hand." },
  void: { name: "Deal is void", what: "A person declared the deal void.", todo: "Nothing, unless it was a mistake: newer content of the deal revives it." },
  dead_letter: { name: "Dead letter", what: "An authentic delivery cannot be read, or its deal could not be fetched.", todo: "Mend the cause, then try it again in Sources." },
  enquiry: { name: "Open enquiry", what: "A payee asks something.", todo: "Answer it in Enquiries." },
  definitions_changed: { name: "Rules changed", what: "A change was activated that moves money or concerns people.", todo: "Check the amounts in Changes and activations." },
  double_payment: { name: "Perhaps paid twice", what: "A release may show money that was paid in another period already.", todo: "Compare both periods before you pay." },
  not_decided: { name: "Not decided", what: "The server could not decide something and goes on with the rest.", todo: "Read the message. If it stays, tell the operator." },
  checkpoint_differs: { name: "Audit trail differs", what: "The audit trail does not continue its signed checkpoint.", todo: "Verify the audit trail at once, and keep the backups." },
};

/** A code that is not known is shown as words. */
export function alertMeaning(code: string): Meaning {
  const words = code.replaceAll("_", " ");
  return MEANINGS[code] ?? { name: words.charAt(0).toUpperCase() + words.slice(1), what: "", todo: "Read the message." };
}

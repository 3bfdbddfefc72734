// Proposals that need no server: the words of the language and the functions that policies may call.

import { GIVEN, HOST_FUNCTIONS, KEYWORDS } from "../rhai-mode";
import type { Proposal } from "./mount";

/** Fields of what policies are given, behind a dot. */
const FIELDS: Record<string, string> = {
  id: "tx", date: "tx", period: "tx, payee", amount: "tx, credit", quantity: "tx", product: "tx", customer: "tx", geography: "tx",
  postal_code: "tx", currency: "tx", default_credit: "tx", unit_type: "credit, payee", credit_type: "credit", kind: "credit",
  position: "credit, to, payee", title: "credit, to, payee", payee: "credit, to", team: "credit, to, payee", rule: "credit",
  result: "credit", relationship: "credit, to", via: "credit, to", level: "credit, to", weight: "credit",
};

const functions = HOST_FUNCTIONS.map((one): Proposal => ({ label: one.name, kind: "function", detail: one.forms[0] ?? "", documentation: one.text, insert: `${one.name}(` }));
const words = KEYWORDS.map((label): Proposal => ({ label, kind: "keyword", detail: "", documentation: "", insert: label }));
const given = GIVEN.map((label): Proposal => ({ label, kind: "variable", detail: "given to the policy", documentation: "", insert: label }));
const fields = Object.entries(FIELDS).map(([label, of]): Proposal => ({ label, kind: "field", detail: `of ${of}`, documentation: "", insert: label }));

/** The proposals behind a dot, or elsewhere. */
export const localCompletions = (behindDot: boolean): Proposal[] => (behindDot ? [...fields, ...functions] : [...given, ...functions, ...words]);

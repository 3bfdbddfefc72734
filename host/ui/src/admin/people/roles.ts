// What each role may do, in a sentence.

export const PERSON_ROLES: { id: string; may: string }[] = [
  { id: "admin", may: "does everything" },
  { id: "approver", may: "approves changes and answers enquiries" },
  { id: "author", may: "writes policies, plans and files" },
  { id: "reader", may: "reads everything, and sends enquiries for payees" },
  { id: "auditor", may: "reads everything" },
  { id: "payee", may: "sees their own pay, and that of their reports" },
];

export const KEY_ROLES = [...PERSON_ROLES, { id: "source", may: "sends deals" }];
export const roleSentence = (role: string): string => KEY_ROLES.find((one) => one.id === role)?.may ?? "";

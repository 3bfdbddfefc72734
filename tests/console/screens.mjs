// The screens of each role, with one object each where a screen shows one.

const PLAIN = {
  stranger: [["sign-in", "/sign-in"], ["play", "/play"]],
  seller: [
    ["overview", "/me"], ["credits", "/me/credits"], ["why", "/me/deals"], ["rewards", "/me/rewards"],
    ["statements", "/me/statements"], ["what-if", "/me/what-if"], ["enquiries", "/me/enquiries"], ["enquiry-new", "/me/enquiries/new"],
  ],
  manager: [["team", "/team"], ["team-enquiries", "/team/enquiries"]],
  administrator: [
    ["today", "/admin"], ["alerts", "/admin/alerts"], ["enquiries", "/admin/enquiries"], ["approvals", "/admin/approvals"],
    ["sources", "/admin/sources"], ["reconciliation", "/admin/reconciliation"], ["periods", "/admin/periods"],
    ["period", "/admin/periods/2026-11"], ["calculation", "/admin/periods/2026-11/account-executives"],
    ["credits", "/admin/credits?period=2026-11"], ["deals", "/admin/deals"], ["holds", "/admin/holds"],
    ["adjustments", "/admin/adjustments"], ["organization", "/admin/organization"],
    ["organization-tables", "/admin/organization?view=tables"], ["sheets", "/admin/sheets"], ["sheet", "/admin/sheets/organization%2Fquotas.csv"],
    ["audit", "/admin/audit"], ["people", "/admin/people"], ["destinations", "/admin/destinations"], ["backups", "/admin/backups"],
  ],
  consultant: [
    ["policies", "/policies"], ["plans", "/policies/plans"], ["plan", "/policies/plans/account-executives"], ["files", "/policies/files"],
    ["file", "/policies/files/tables/setup_fees.csv"], ["history", "/policies/files/tables/setup_fees.csv?view=history"], ["changes", "/policies/changes"], ["lineage", "/policies/lineage"],
    ["new", "/policies/new"], ["activate", "/policies/activate"], ["play", "/play"],
  ],
};

/** Screens of one object, found by the API as the person. */
async function detailsOf(role, visit) {
  if (role === "seller") {
    const [credit] = (await visit.get("/v1/me/credits?limit=1")).data;
    const [statement] = (await visit.get("/v1/me/statements")).data;
    const [enquiry] = (await visit.get("/v1/me/enquiries")).data;
    return [
      ["credit", `/me/credits/${credit.id}`],
      ["why-deal", `/me/deals/${credit.transaction}`],
      ["statement", `/me/statements/${statement.plan}/${statement.period}`],
      ["enquiry", `/me/enquiries/${enquiry.id}`],
    ];
  }
  if (role === "manager") {
    const [report] = (await visit.get("/v1/me/reports")).data;
    return [["report", `/team/${report.payee}`], ["report-credits", `/team/${report.payee}/credits`]];
  }
  if (role === "administrator") {
    const [credit] = (await visit.get("/v1/credits?limit=1")).data;
    const [enquiry] = (await visit.get("/v1/enquiries")).data;
    return [
      ["credit", `/admin/credits/${credit.id}`],
      ["deal", `/admin/deals/${credit.transaction}`],
      ["enquiry", `/admin/enquiries/${enquiry.id}`],
    ];
  }
  if (role === "consultant") {
    const file = (await visit.get("/v1/definitions")).data.find((one) => /^policies\/.*\.rhai$/.test(one.path));
    const policy = file ? file.path.replace(/\.rhai$/, "").replace("policies/", "") : "crediting/standard/both-reps";
    const activation = (await visit.get("/v1/changes")).data.find((one) => "sequence" in one);
    return [["policy", `/policies/policy/${policy}`], ["activation", `/policies/changes/activation/${activation.sequence}`]];
  }
  return [];
}

export async function screensOf(role, visit) {
  const all = [...PLAIN[role], ...(await detailsOf(role, visit))];
  return all.map(([name, path]) => ({ name, path }));
}

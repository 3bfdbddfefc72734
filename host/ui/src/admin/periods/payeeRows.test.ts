import { expect, it } from "vitest";
import { payeeRows } from "./payeeRows";

const credit = (payee: string | null, amount: string, status: "active" | "held" | "suppressed", team: string | null = null) => ({ payee, team, amount, status, unit_type: "USD" });

it("adds credits and rewards by payee, and leaves out what does not count", () => {
  const credits = [credit("ann", "10.10", "active"), credit("ann", "5", "held"), credit("ann", "99", "suppressed"), credit("ann", "0.20", "active"), credit(null, "7", "active", "north")];
  const rewards = [{ payee: "bob", amount: "1.50", unit_type: "USD" }, { payee: "ann", amount: "2", unit_type: "USD" }];
  expect(payeeRows(credits, rewards)).toEqual([
    { payee: "ann", isTeam: false, unit: "USD", credited: "10.30", held: "5", rewards: "2", count: 3 },
    { payee: "north", isTeam: true, unit: "USD", credited: "7", held: "0", rewards: "0", count: 1 },
    { payee: "bob", isTeam: false, unit: "USD", credited: "0", held: "0", rewards: "1.50", count: 0 },
  ]);
});

import { describe, expect, it } from "vitest";
import { settingsList, settingsSections, settingsText } from "./settings";

const TOML = `
unit_types = ["USD", { name = "JPY", scale = 0 }]
credit_types = ["booking", # the first
  'overlay',
]
reason_codes = []
[workspace]
currency = "USD"

[sources.crm]
connector = "standard-webhooks"
[sources."my crm"]
connector = "hubspot"
[tables.rates]
keys = ["product"]
`;

describe("lists of the settings", () => {
  it.each([
    ["unit_types", ["USD", "JPY"]],
    ["credit_types", ["booking", "overlay"]],
    ["reason_codes", []],
    ["nothing", []],
  ])("%s", (key, expected) => {
    expect(settingsList(TOML, key)).toEqual(expected);
  });

  it("names of sections", () => {
    expect(settingsSections(TOML, "sources")).toEqual(["crm", "my crm"]);
    expect(settingsSections(TOML, "tables")).toEqual(["rates"]);
  });

  it.each([
    ["sources.crm", "connector", "standard-webhooks"],
    ["workspace", "currency", "USD"],
    ["workspace", "connector", null],
    ["tables.rates", "connector", null],
  ])("%s %s", (section, key, expected) => {
    expect(settingsText(TOML, section, key)).toBe(expected);
  });
});

// The extension for VS Code: starts `accredit lsp` and hands it the files of customers' directories.
//
// Not the answers, which are the server's. Plain JavaScript, so that it runs as it is in this folder.

"use strict";

const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

/** The files that the server looks at; the others of a workspace are none of its business. */
const DOCUMENTS = [
  { scheme: "file", language: "rhai" },
  { scheme: "file", pattern: "**/accredit.toml" },
  { scheme: "file", pattern: "**/plans/*.toml" },
  { scheme: "file", pattern: "**/{organization,tables}/*.csv" },
  { scheme: "file", pattern: "**/*.cases.md" },
];

const WATCHED = "**/{accredit.toml,*.rhai,*.cases.md,plans/*.toml,{organization,tables,transactions}/*.csv}";

const RUN_CASE = "accredit.runCase";

let client;

/** Says what came of a case; the places of what failed are findings. */
function showVerdicts(verdicts) {
  if (!Array.isArray(verdicts)) {
    return;
  }
  const failed = verdicts.filter((verdict) => !verdict.passed);
  if (verdicts.length === 0) {
    vscode.window.showWarningMessage("There is no case here.");
  } else if (failed.length === 0) {
    // A case with a table has a verdict for each row.
    const what = verdicts.length === 1 ? verdicts[0].name : `${verdicts.length} cases`;
    vscode.window.showInformationMessage(`Passed: ${what}`);
  } else {
    const first = failed[0].failures[0];
    const message = first === undefined ? "" : `: ${first.message.split("\n")[0]}`;
    vscode.window.showErrorMessage(`Failed: ${failed[0].name}${message}`);
  }
}

function makeClient() {
  const command = vscode.workspace.getConfiguration("accredit").get("path") || "accredit";
  const server = { command, args: ["lsp"], transport: TransportKind.stdio };
  const options = {
    documentSelector: DOCUMENTS,
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher(WATCHED) },
    middleware: {
      executeCommand: async (name, given, next) => {
        const result = await next(name, given);
        if (name === RUN_CASE) {
          showVerdicts(result);
        }
        return result;
      },
    },
  };
  return new LanguageClient("accredit", "accredit", server, options);
}

async function start() {
  client = makeClient();
  try {
    await client.start();
  } catch (error) {
    const help = "Set `accredit.path` to the program.";
    vscode.window.showErrorMessage(`accredit cannot be started: ${error.message}. ${help}`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running !== undefined && running.needsStop()) {
    await running.stop();
  }
}

async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(vscode.commands.registerCommand("accredit.restart", restart));
  await start();
  return { client: () => client };
}

module.exports = { activate, deactivate: stop };

// CodeMirror with what every editor of the console has. Loaded when the first editor opens.
//
// It lives in a shadow root: its styles are adopted style sheets there, which the server's policy of contents
// allows, where a <style> element is not.

import { autocompletion, closeBrackets, closeBracketsKeymap, type Completion, type CompletionContext, completionKeymap, type CompletionResult, insertCompletionText, pickedCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit, StreamLanguage, type StreamParser, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { rhaiMode } from "../rhai-mode";
import { csvMode, jsonMode, markdownMode, tomlMode } from "../small-modes";
import { columnOfOffset, type Finding, offsetOfColumn } from "./findings";
import { localCompletions } from "./local-completions";
import { codeColours, editorTheme } from "./theme";

export type Language = "rhai" | "toml" | "csv" | "json" | "markdown" | "text";

/** A part of a text: from a place up to another one. */
export type TextRange = { start: { line: number; column: number }; end: { line: number; column: number } };
/** A proposal for a place in a text, and the part that it replaces where that is not the word. */
export type Proposal = { label: string; kind: string; detail: string; documentation: string; insert: string; range?: TextRange };
/** A place in a text: line and column from 1, columns in characters. */
export type TextPlace = { text: string; line: number; column: number };

export type EditorOptions = {
  text: string;
  language: Language;
  label: string;
  readOnly: boolean;
  onchange: (text: string) => void;
  /** Ctrl-Enter. */
  onrun?: () => void;
  /** What the server proposes at a place; null where it cannot tell. */
  complete?: (place: TextPlace) => Promise<Proposal[] | null>;
  /** F12: goes to where the name at a place is defined. */
  define?: (place: TextPlace) => void;
  /** What a word means. */
  hover?: (place: TextPlace) => Promise<string | null>;
};

export type MountedEditor = {
  setText: (text: string) => void;
  setFindings: (findings: Finding[]) => void;
  setReadOnly: (readOnly: boolean) => void;
  goTo: (line: number, column: number) => void;
  destroy: () => void;
};

const MODES: Partial<Record<Language, StreamParser<never>>> = {
  rhai: rhaiMode as StreamParser<never>,
  toml: tomlMode as StreamParser<never>,
  csv: csvMode as StreamParser<never>,
  json: jsonMode as StreamParser<never>,
  markdown: markdownMode as StreamParser<never>,
};

/** Language, colours and theme, which the comparison of two texts has as well. */
export function look(language: Language): Extension[] {
  const mode = MODES[language];
  return [
    editorTheme,
    syntaxHighlighting(codeColours),
    lineNumbers(),
    highlightSpecialChars(),
    drawSelection(),
    EditorState.tabSize.of(4),
    indentUnit.of(language === "rhai" ? "    " : "  "),
    ...(mode ? [StreamLanguage.define(mode)] : []),
  ];
}

function offsetAt(state: EditorState, number: number, column: number): number {
  const line = state.doc.line(Math.min(Math.max(number, 1), state.doc.lines));
  return line.from + offsetOfColumn(line.text, column);
}

function placeAt(state: EditorState, position: number): TextPlace {
  const line = state.doc.lineAt(position);
  return { text: state.doc.toString(), line: line.number, column: columnOfOffset(line.text, position - line.from) };
}

/** What is proposed: the server's answer, and the words of the language until there is one. */
async function completions(context: CompletionContext, options: EditorOptions): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[\w"]*$/);
  if (!context.explicit && !word?.text && !context.matchBefore(/[.["(]$/)) return null;

  const answer = await options.complete?.(placeAt(context.state, context.pos)).catch(() => null);
  if (context.aborted) return null;
  const proposals = answer ?? (options.language === "rhai" ? localCompletions(context.matchBefore(/\.\w*$/) !== null) : []);
  if (proposals.length === 0) return null;
  return {
    from: word ? word.from + (word.text.startsWith('"') ? 1 : 0) : context.pos,
    options: proposals.map((one) => ({ label: one.label, detail: one.detail, info: one.documentation || undefined, apply: applied(context, one) })),
    validFor: /^\w*$/,
  };
}

/** The text of a proposal takes the place of its part, which grew with what was typed since it was asked for. */
function applied(context: CompletionContext, proposal: Proposal): Completion["apply"] {
  const insert = proposal.insert || proposal.label;
  const range = proposal.range;
  if (!range) return insert;
  const start = offsetAt(context.state, range.start.line, range.start.column);
  const behind = offsetAt(context.state, range.end.line, range.end.column) - context.pos;
  return (view, completion, _, to) => {
    const end = Math.min(to + Math.max(behind, 0), view.state.doc.length);
    view.dispatch({ ...insertCompletionText(view.state, insert, start, end), annotations: pickedCompletion.of(completion) });
  };
}

function hovers(options: EditorOptions): Extension {
  return hoverTooltip(async (view, position) => {
    const text = await options.hover?.(placeAt(view.state, position)).catch(() => null);
    if (!text) return null;
    const word = view.state.wordAt(position);
    const create = () => {
      const dom = document.createElement("div");
      dom.textContent = text;
      return { dom };
    };
    return { pos: word?.from ?? position, end: word?.to, above: true, create };
  });
}

function placed(state: EditorState, finding: Finding): Diagnostic {
  const from = offsetAt(state, finding.line, finding.column);
  let to = Math.max(offsetAt(state, finding.endLine, finding.endColumn), from);
  // A place without an end marks the word that begins there.
  if (to === from) to = state.wordAt(from)?.to ?? Math.min(from + 1, state.doc.length);
  const message = finding.help ? `${finding.message}\n${finding.help}` : finding.message;
  return { from: Math.min(from, to), to, severity: finding.severity, source: finding.code, message };
}

export function mountEditor(root: ShadowRoot, into: HTMLElement, options: EditorOptions): MountedEditor {
  const writable = new Compartment();
  const readOnly = (is: boolean) => [EditorState.readOnly.of(is), EditorView.editable.of(true)];
  let silent = false;

  const view = new EditorView({
    root,
    parent: into,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        // Before the keys of the language, whose Enter would answer first.
        keymap.of([{ key: "Mod-Enter", run: () => (options.onrun?.(), options.onrun !== undefined) }]),
        keymap.of([{ key: "F12", run: (view) => (options.define?.(placeAt(view.state, view.state.selection.main.head)), options.define !== undefined) }]),
        look(options.language),
        history(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        highlightSelectionMatches(),
        lintGutter(),
        autocompletion({ override: [(context) => completions(context, options)], icons: false }),
        hovers(options),
        // Tab indents; Escape and then Tab leaves, which CodeMirror does by itself.
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap, indentWithTab]),
        writable.of(readOnly(options.readOnly)),
        // The attribute says what the browser knows: text that can be edited takes the focus.
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": options.label, "aria-multiline": "true", spellcheck: "false", autocapitalize: "off" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !silent) options.onchange(update.state.doc.toString());
        }),
      ],
    }),
  });

  return {
    setText(text) {
      if (text === view.state.doc.toString()) return;
      silent = true;
      const head = Math.min(view.state.selection.main.head, text.length);
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: head } });
      silent = false;
    },
    setFindings(findings) {
      view.dispatch(setDiagnostics(view.state, findings.map((one) => placed(view.state, one))));
    },
    setReadOnly: (is) => view.dispatch({ effects: writable.reconfigure(readOnly(is)) }),
    goTo(number, column) {
      const anchor = offsetAt(view.state, number, column);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

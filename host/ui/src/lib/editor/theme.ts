// How code looks: by the tokens of `app.css`, so that both themes need no style of their own.

import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const editorTheme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "0.9rem", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)", padding: "0.5rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--text-soft)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent-soft) 35%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--accent-soft)", color: "var(--accent-ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-nonmatchingBracket, &.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--bad-soft)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-soft)", outline: "1px solid var(--warn)" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)", fontFamily: "var(--font)" },
  ".cm-panels input, .cm-panels button": { font: "inherit", color: "var(--text)", background: "var(--surface)", backgroundImage: "none", border: "1px solid var(--line-strong)", borderRadius: "6px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "6px", boxShadow: "var(--shadow-high)", maxWidth: "min(34rem, 90vw)", fontFamily: "var(--font)" },
  ".cm-tooltip-hover, .cm-completionInfo": { padding: "0.5rem 0.7rem", whiteSpace: "pre-wrap" },
  ".cm-tooltip-autocomplete ul li": { padding: "0.2rem 0.6rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--accent-ink)" },
  ".cm-completionDetail": { color: "var(--text-soft)", fontStyle: "normal" },
  ".cm-diagnostic": { padding: "0.4rem 0.7rem", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--bad)" },
  ".cm-diagnostic-warning": { borderLeft: "4px solid var(--warn)" },
  ".cm-diagnostic-hint": { borderLeft: "4px solid var(--info)" },
  // The wave of the library is an image with a `data:` address, which the server's policy does not allow.
  ".cm-lintRange": { backgroundImage: "none", paddingBottom: "0" },
  ".cm-lintRange-error": { textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { textDecoration: "underline wavy var(--warn)", textUnderlineOffset: "3px" },
  ".cm-lintRange-hint": { textDecoration: "underline dotted var(--info)", textUnderlineOffset: "3px" },
  ".cm-lint-marker": { width: "0.8em", height: "0.8em", content: "none", borderRadius: "50%" },
  ".cm-lint-marker-error": { content: "none", backgroundColor: "var(--bad)", borderRadius: "2px" },
  ".cm-lint-marker-warning": { content: "none", backgroundColor: "var(--warn)" },
  ".cm-lint-marker-hint": { content: "none", backgroundColor: "var(--info)" },
  // Changed words are underlined: a stronger ground would leave too little contrast for the colours of code.
  ".cm-changedLine": { backgroundColor: "color-mix(in srgb, var(--good-soft) 60%, transparent)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "color-mix(in srgb, var(--bad-soft) 60%, transparent)" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": { background: "none", boxShadow: "inset 0 -2px var(--bad)" },
  "&.cm-merge-b .cm-changedText, .cm-changedText": { background: "none", boxShadow: "inset 0 -2px var(--good)" },
  ".cm-collapsedLines": { background: "var(--sunken)", backgroundImage: "none", color: "var(--text-soft)" },
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: '"⋯"' },
});

export const codeColours = HighlightStyle.define([
  { tag: [tags.keyword, tags.bool, tags.heading], color: "var(--accent-ink)", fontWeight: "600" },
  { tag: [tags.comment, tags.meta], color: "var(--text-soft)", fontStyle: "italic" },
  { tag: [tags.string, tags.character], color: "var(--good)" },
  { tag: [tags.number, tags.literal, tags.constant(tags.variableName)], color: "var(--info)" },
  { tag: [tags.standard(tags.function(tags.variableName)), tags.special(tags.variableName)], color: "var(--warn)" },
  { tag: tags.definition(tags.function(tags.variableName)), fontWeight: "700" },
  { tag: [tags.propertyName, tags.brace], color: "var(--accent-ink)" },
]);

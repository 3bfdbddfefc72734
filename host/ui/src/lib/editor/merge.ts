// Two texts side by side, or one below the other where there is no room.

import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { type Language, look } from "./mount";

export type Comparison = { before: string; after: string; language: Language; labels: [string, string] };

const CONTEXT = { margin: 3, minSize: 6 };

export function mountComparison(root: ShadowRoot, into: HTMLElement, compared: Comparison, sideBySide: boolean): () => void {
  const side = (label: string) => [
    look(compared.language),
    EditorView.lineWrapping,
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label, "aria-readonly": "true" }),
  ];

  if (sideBySide) {
    const view = new MergeView({
      a: { doc: compared.before, extensions: side(compared.labels[0]) },
      b: { doc: compared.after, extensions: side(compared.labels[1]) },
      parent: into,
      root,
      collapseUnchanged: CONTEXT,
      gutter: true,
    });
    return () => view.destroy();
  }

  const unified = unifiedMergeView({ original: compared.before, mergeControls: false, collapseUnchanged: CONTEXT });
  const view = new EditorView({ root, parent: into, state: EditorState.create({ doc: compared.after, extensions: [side(compared.labels[1]), unified] }) });
  return () => view.destroy();
}

// Whose data a screen shows: the reader's own, or that of a person who reports to the reader.

/** The words for that person in a sentence. */
export type Voice = {
  /** `You` or a name, at the beginning of a sentence. */
  you: string;
  /** The same after a verb: `you`, or the name. */
  them: string;
  were: "were" | "was";
  /** `your`, or `their` for another person. */
  your: string;
};

export type Subject = {
  /** Under which the server has it: `/v1/me` or `/v1/me/reports/P07`. */
  api: string;
  /** Under which the console shows it: `/me` or `/team/P07`. */
  base: string;
  /** Whether the reader may ask questions and try deals: only for themselves. */
  isOwn: boolean;
  /** The name of the other person; empty for the reader. */
  name: string;
  voice: Voice;
};

export const ownSubject: Subject = {
  api: "/v1/me",
  base: "/me",
  isOwn: true,
  name: "",
  voice: { you: "You", them: "you", were: "were", your: "your" },
};

export function reportSubject(payee: string, name: string): Subject {
  const part = encodeURIComponent(payee);
  return {
    api: `/v1/me/reports/${part}`,
    base: `/team/${part}`,
    isOwn: false,
    name,
    voice: { you: name, them: name, were: "was", your: "their" },
  };
}

/** Address of a screen of the subject, such as `("credits", id)`. */
export const screenOf = (subject: Subject, ...parts: string[]): string =>
  [subject.base, ...parts.map(encodeURIComponent)].join("/");

/** The name of a screen: `My credits`, or `Credits of Ada Abbott`. */
export const titleOf = (subject: Subject, own: string, others: string): string =>
  subject.isOwn ? own : `${others} of ${subject.name}`;

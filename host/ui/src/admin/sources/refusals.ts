// Why a request of a source was refused, in words, by the code of the problem that it was answered with.

const REASONS: Record<string, string> = {
  unauthentic: "its signature does not match",
  media_type: "its content type is not that of the connector",
  rate_limited: "the source sent more than it may",
  too_large: "the body is too large",
  bad_request: "the body cannot be read",
  unavailable: "the server could not take it",
  timeout: "the body did not arrive in time",
};

/** A code that is not known is shown as words. */
export const refusalText = (reason: string): string => REASONS[reason] ?? reason.replaceAll("_", " ");

/** What the SDK rejects with: the code of the server, or one of its own from 2000 on. */
interface Rejection {
  code?: number;
  message?: string;
}

/** The code of a rejection, 0 if it has none. */
export function codeOf(failure: unknown): number {
  const code = (failure as Rejection | null)?.code;
  return typeof code === "number" ? code : 0;
}

/** The text a person may read about a rejection. Many of the SDK's own have no text. */
export function describe(failure: unknown): string {
  const code = codeOf(failure);
  const text = known.get(code) ?? (failure as Rejection | null)?.message ?? "";
  if (code === 0) return text || "unknown failure";
  return text === "" ? `error ${code}` : `${text} (${code})`;
}

const known = new Map<number, string>([
  [2800, "the server cannot be reached"],
  [2801, "the server did not answer in time"],
  [3003, "logged in at another place"],
  [3002, "logged in on another device"],
  [3004, "the signature has expired"],
  [3006, "logged out by an administrator"],
]);

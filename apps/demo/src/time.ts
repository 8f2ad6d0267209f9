const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOfAnyYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

/** The hour and minute of a server time in seconds. */
export function clockText(seconds: number): string {
  return clock.format(seconds * 1000);
}

/** The same text for all times of one local day. */
export function dayKey(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** The day as a person says it. */
export function dayText(seconds: number, now = Date.now()): string {
  const key = dayKey(seconds);
  if (key === dayKey(now / 1000)) return "Today";
  if (key === dayKey(now / 1000 - 86_400)) return "Yesterday";
  const sameYear = new Date(seconds * 1000).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? dayOfYear : dayOfAnyYear).format(seconds * 1000);
}

/** The machine-readable form for a `time` element. */
export function isoText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** One of the people of the demo, as `config.json` names them. */
export interface PersonConfiguration {
  userId: string;
  userSig: string;
  peer: string;
}

/** What `config.json` says: which app, which server, which people. */
export interface Configuration {
  sdkAppId: number;
  proxyServer: string;
  people: PersonConfiguration[];
}

/** Reads `config.json` beside the page. A failure says what is wrong with it. */
export async function loadConfiguration(): Promise<Configuration> {
  const response = await fetch("config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`cannot read config.json: the web server answered ${response.status}`);
  let content: unknown;
  try {
    content = await response.json();
  } catch {
    throw new Error("cannot read config.json: it is not JSON");
  }
  return parseConfiguration(content);
}

function parseConfiguration(content: unknown): Configuration {
  const fields = record(content, "config.json");
  const sdkAppId = fields["sdkAppId"];
  if (typeof sdkAppId !== "number") throw new Error("config.json: sdkAppId must be a number");
  const proxyServer = text(fields, "proxyServer");
  if (!/^wss?:\/\//.test(proxyServer)) throw new Error("config.json: proxyServer must begin with ws:// or wss://");
  const people = fields["people"];
  if (!Array.isArray(people) || people.length === 0) throw new Error("config.json: people must be a list");
  return { sdkAppId, proxyServer, people: people.map(parsePerson) };
}

function parsePerson(content: unknown): PersonConfiguration {
  const fields = record(content, "each of people");
  return { userId: text(fields, "userId"), userSig: text(fields, "userSig"), peer: text(fields, "peer") };
}

function record(content: unknown, what: string): Record<string, unknown> {
  if (typeof content !== "object" || content === null) throw new Error(`config.json: ${what} must be an object`);
  return content as Record<string, unknown>;
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== "string" || value === "") throw new Error(`config.json: ${name} must be a text`);
  return value;
}

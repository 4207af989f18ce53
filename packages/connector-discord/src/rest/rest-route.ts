/** What Discord's rate limits tell a request by. */
export interface LimitedRequest {
  readonly method: string;
  /** Below the base URL, such as `/channels/1/messages`; a query does not count. */
  readonly path: string;
  /** The Authorization header; absent for what is authorised by a token in its path. */
  readonly authorization?: string | undefined;
}

/** A request without its ids, and the id by which its limit is kept apart from those of its like. */
export interface RestRoute {
  /** Such as `POST /channels/:id/messages`. */
  readonly name: string;
  /** The top-level resource: a channel, a guild, or a webhook with its token. */
  readonly resource: string;
}

/** How many parts of the path name the top-level resource. */
const RESOURCES: Readonly<Record<string, number>> = { channels: 2, guilds: 2, webhooks: 3 };

/** @see https://docs.discord.com/developers/topics/rate-limits */
export function routeOf({ method, path }: LimitedRequest): RestRoute {
  const parts = (path.split("?", 1)[0] ?? "").split("/").filter((part) => part !== "");
  const named = Object.hasOwn(RESOURCES, parts[0] ?? "") ? (RESOURCES[parts[0] ?? ""] ?? 0) : 0;
  const shown = parts.map((part, index) => {
    if (index > 0 && index < named) return ":id";
    // The limit on reactions is one for all emoji.
    if (parts[index - 1] === "reactions") return ":emoji";
    return /^\d+$/.test(part) ? ":id" : part;
  });
  return { name: `${method} /${shown.join("/")}`, resource: parts.slice(0, named).join("/") };
}

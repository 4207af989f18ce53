import type { Clock, ConnectorRoute } from "@hookline/core";
import type { RequestLink } from "../interactions/link.js";
import type { MemberTickets } from "./member-ticket.js";
import type { OAuth } from "./oauth.js";
import type { PageLink, Pages } from "./pages.js";
import { adviceOn, OAUTH_REFUSALS } from "./refusals.js";
import { isSameOrigin, readFields } from "./request-form.js";

export interface LinkedRoleRoutesOptions {
  readonly oauth: OAuth;
  readonly tickets: MemberTickets;
  readonly pages: Pages;
  readonly redirectUri: string;
  readonly resolveTenant: (guildId: null) => Promise<string | null>;
  readonly requestLink: RequestLink;
  readonly clock: Clock;
}

const PATH = "/oauth/linked-role";
const BEGIN_AGAIN: PageLink = { url: "linked-role", label: "Begin again" };

/** The portal's "Linked Roles Verification URL": GET shows what a button would begin, POST takes the member's address. */
export function createLinkedRoleRoutes(options: LinkedRoleRoutesOptions): readonly ConnectorRoute[] {
  const { pages, tickets } = options;
  const ownOrigin = new URL(options.redirectUri).origin;
  const refuse = (code: "cross_site" | "ticket_invalid" | "tenant_missing", next: PageLink | null = BEGIN_AGAIN) =>
    pages.advice(OAUTH_REFUSALS[code].status, adviceOn(code, "linked_role"), next);

  async function show(): Promise<Response> {
    const tenantId = await options.resolveTenant(null);
    if (tenantId === null) return refuse("tenant_missing", null);
    const { link, token } = options.oauth.issueLink({ purpose: "linked_role", tenantId });
    return pages.start(link, token);
  }

  async function takeAddress(request: Request): Promise<Response> {
    const fields = await readFields(request);
    const sealed = fields?.get("ticket") ?? "";
    const ticket = tickets.read(sealed, options.clock.now());
    if (ticket === null) return refuse("ticket_invalid");
    if (!isSameOrigin(request, ownOrigin)) return refuse("cross_site");
    const email = (fields?.get("email") ?? "").trim();
    const result = await options.requestLink({
      discordUserId: ticket.discordId,
      discordUserName: ticket.userName,
      guildId: null,
      tenantId: ticket.tenantId,
      email,
      interactionId: tickets.requestIdOf(ticket, email),
    });
    const { userName } = ticket;
    if (result.ok) return pages.checkInbox({ userName });
    return pages.askAddress({ userName, ticket: sealed, refusal: result.reason });
  }

  const route = { path: PATH, rateLimited: true, maxBodyBytes: 16 * 1024 } as const;
  return [
    {
      ...route,
      method: "GET",
      summary: "For the portal's Linked Roles Verification URL: shows what its button begins; changes nothing",
      handle: show,
    },
    {
      ...route,
      method: "POST",
      summary: "Mails a confirm link to the address of a member who came from Linked Roles and is not linked",
      handle: takeAddress,
    },
  ];
}

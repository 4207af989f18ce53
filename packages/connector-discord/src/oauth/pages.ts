import { createHash } from "node:crypto";
import type { ConfirmResult } from "../interactions/link.js";
import type { OAuthLink } from "./oauth-state.js";

/** What a person reads when a round did not end well: what happened, and what to do. */
export interface Advice {
  readonly title: string;
  readonly text: string;
  readonly todo: string;
}

interface Page {
  readonly status: number;
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** Where forms may lead besides this site, redirects among it. */
  readonly formTarget?: string;
}

export interface Pages {
  /** Says what is about to be connected; its button begins the round. */
  start(link: OAuthLink, token: string): Response;
  done(text: { readonly title: string; readonly text: string; readonly next: PageLink | null }): Response;
  /** Asks a member who is not linked for the address; says why the one before was not taken. */
  askAddress(member: {
    readonly userName: string;
    readonly ticket: string;
    readonly refusal: Extract<ConfirmResult, { ok: false }>["reason"] | null;
  }): Response;
  checkInbox(member: { readonly userName: string }): Response;
  advice(status: number, advice: Advice, next: PageLink | null): Response;
}

export interface PageLink {
  readonly url: string;
  readonly label: string;
}

export interface PagesOptions {
  /** The product that Discord is connected to, as people call it. */
  readonly productName: string;
  readonly authorizeUrl: string;
}

const STYLE = `
:root { color-scheme: light dark; --page: #f4f5f8; --card: #fff; --ink: #14161c; --soft: #5b6172; --line: #e4e6ed; --accent: #5865f2; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1015; --card: #171a21; --ink: #f2f4f8; --soft: #a0a7b8; --line: #2a2f3a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px 16px; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { width: 100%; max-width: 27.5rem; padding: 36px 32px; background: var(--card); border: 1px solid var(--line); border-radius: 20px; text-align: center; }
h1 { margin: 0 0 8px; font-size: 24px; line-height: 1.25; text-wrap: balance; }
p { margin: 0 0 12px; color: var(--soft); overflow-wrap: anywhere; }
strong { color: var(--ink); }
button, a.button { display: block; width: 100%; margin-top: 22px; padding: 14px 20px; border: 0; border-radius: 12px; background: var(--accent); color: #fff; font: inherit; font-weight: 650; text-decoration: none; cursor: pointer; }
label { display: block; margin: 18px 0 6px; text-align: left; font-weight: 650; }
input { width: 100%; padding: 12px 14px; border: 1px solid var(--line); border-radius: 12px; background: var(--page); color: var(--ink); font: inherit; }
button:focus-visible, input:focus-visible, a.button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }`;

const STYLE_SOURCE = `'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`;

export function createPages({ productName, authorizeUrl }: PagesOptions): Pages {
  const product = escapeHtml(productName);

  function show({ status, title, body, formTarget }: Page): Response {
    const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>${escapeHtml(title)} · ${product}</title>
    <style>${STYLE}</style>
  </head>
  <body><main><h1>${escapeHtml(title)}</h1>${body}</main></body>
</html>
`;
    const formAction = formTarget === undefined ? "'none'" : `'self' ${formTarget}`.trim();
    return new Response(html, {
      status,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": `default-src 'none'; style-src ${STYLE_SOURCE}; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
        "cache-control": "no-store",
        // Not `no-referrer`: then browsers would not say either that the form comes from this site.
        "referrer-policy": "same-origin",
      },
    });
  }

  function whatBegins(link: OAuthLink): string {
    switch (link.purpose) {
      case "install":
        return `<p>The bot of ${product} will be added to a Discord server that you choose. What happens in that server then belongs to the account <strong>${escapeHtml(link.tenantId)}</strong>.</p>`;
      case "member_link":
        return `<p>Your Discord account will be connected to <strong>${escapeHtml(link.email)}</strong> at ${product}.</p><p>Is this not your address? Then close this page: nothing has been connected.</p>`;
      case "linked_role":
        return `<p>${product} will tell Discord what servers can ask for in their roles, such as that your email address is confirmed; not the address itself.</p><p>Your Discord account has to be connected to your address for it. If it is not yet, you can do that next.</p>`;
    }
  }

  return {
    start(link, token) {
      return show({
        status: 200,
        title: link.purpose === "install" ? "Add to Discord" : "Connect your Discord account",
        body: `${whatBegins(link)}<form method="post" action="start"><input type="hidden" name="link" value="${escapeHtml(token)}"><button>Continue to Discord</button></form>`,
        formTarget: new URL(authorizeUrl).origin,
      });
    },
    askAddress({ userName, ticket, refusal }) {
      const why = refusal === null ? "" : `<p role="alert"><strong>${ADDRESS_REFUSALS[refusal].text}</strong></p>`;
      return show({
        status: refusal === null ? 200 : ADDRESS_REFUSALS[refusal].status,
        title: "Whose account is this?",
        body: `<p>Your Discord account <strong>${escapeHtml(userName)}</strong> is not connected to an email address at ${product} yet. We mail a link that connects it, and then Discord is told.</p>${why}<form method="post" action="linked-role"><input type="hidden" name="ticket" value="${escapeHtml(ticket)}"><label for="email">Your email address</label><input id="email" name="email" type="email" autocomplete="email" maxlength="254" required><button>Mail me the link</button></form>`,
        formTarget: "",
      });
    },
    checkInbox: ({ userName }) =>
      show({
        status: 200,
        title: "Check your inbox",
        body: `<p>We have sent a link that connects your Discord account <strong>${escapeHtml(userName)}</strong>. Discord is told once you have confirmed there; you can close this page.</p>`,
      }),
    done: ({ title, text, next }) => show({ status: 200, title, body: `<p>${escapeHtml(text)}</p>${buttonTo(next)}` }),
    advice: (status, { title, text, todo }, next) =>
      show({
        status,
        title,
        body: `<p>${escapeHtml(text)}</p><p><strong>${escapeHtml(todo)}</strong></p>${buttonTo(next)}`,
      }),
  };
}

const ADDRESS_REFUSALS = {
  invalid_email: { status: 400, text: "This is not a valid email address." },
  rate_limited: { status: 429, text: "That was asked for too often. Please try again later." },
  unavailable: { status: 503, text: "The mail can't be sent at the moment. Please try again later." },
} as const;

function buttonTo(link: PageLink | null): string {
  return link === null ? "" : `<a class="button" href="${escapeHtml(link.url)}">${escapeHtml(link.label)}</a>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

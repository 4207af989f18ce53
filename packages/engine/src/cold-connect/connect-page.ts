import { html, raw } from "hono/html";
import { maskEmail } from "../identity/email.js";
import type { Binding, Branding } from "./options.js";
import type { PageStyle } from "./page-style.js";

type Markup = ReturnType<typeof html>;

export interface PageParts {
  readonly branding: Branding;
  readonly style: PageStyle;
  readonly connectorId: string;
  readonly ttlSeconds: number;
}

/** What a page says when it does not ask. */
export type Outcome = "success" | "used" | "expired" | "voided" | "refused" | "unknown" | "failed";

/** The page that asks: it names both sides; one button confirms, the other one says that it was somebody else. */
export function askPage(parts: PageParts, { binding, token }: { binding: Binding; token: string }): Promise<string> {
  const { productName, platformName, title, blurb, badge } = parts.branding;
  const heading = title ?? `Connect ${platformName} to ${productName}`;
  return page(parts, {
    heading,
    body: html`
    <div class="pair" aria-hidden="true">
      <div class="tile">${raw(CHAT_ICON)}</div>
      <div class="wire"></div>
      <div class="tile ours">${[...productName][0]?.toUpperCase() ?? ""}</div>
    </div>
    ${badge ? html`<span class="badge">${badge}</span>` : ""}
    <h1>${heading}</h1>
    <p>${blurb ?? `This ${platformName} account asked to be connected to your email address. Is it yours?`}</p>
    <dl>
      <div>
        <dt>${platformName} account</dt>
        <dd><bdi>${binding.platformUserName}</bdi><small>ID ${binding.platformUserId}</small></dd>
      </div>
      <div>
        <dt>Your email address</dt>
        <dd>${maskEmail(binding.email)}</dd>
      </div>
    </dl>
    <form method="post" action="${parts.connectorId}">
      <input type="hidden" name="token" value="${token}">
      <button type="submit" name="answer" value="confirm">Confirm</button>
      <button type="submit" name="answer" value="not-me" class="quiet">This was not me</button>
    </form>
    <p class="fine">“This was not me” ends this link and keeps that account from asking for your address again for a while. The link works once, for ${minutes(parts.ttlSeconds)}.</p>`,
  });
}

/** The page that tells how it went. `binding` is there when the token was known. */
export function outcomePage(
  parts: PageParts,
  { outcome, binding, identify }: { outcome: Outcome; binding?: Binding | undefined; identify?: Identify | undefined },
): Promise<string> {
  const { heading, text, more } = textsOf(parts, outcome, binding);
  const good = outcome === "success" || outcome === "used" || outcome === "refused";
  return page(parts, {
    heading,
    body: html`
    <div class="sign ${good ? "good" : "warn"}" aria-hidden="true">${raw(good ? CHECK_ICON : outcome === "expired" ? CLOCK_ICON : ALERT_ICON)}</div>
    <h1>${heading}</h1>
    <p>${text}</p>
    ${more ? html`<p class="more">${more}</p>` : ""}${identify ? scriptOf(identify) : ""}`,
  });
}

/** The script of an analytics adapter, and what it reads; a file of its own, since the policy allows nothing inline. */
export interface Identify {
  readonly scriptPath: string;
  readonly data: Readonly<Record<string, string>>;
}

function scriptOf({ scriptPath, data }: Identify): Markup {
  const attributes = Object.entries(data).map(([name, value]) => html` data-${name}="${value}"`);
  return html`<script src="${scriptPath}"${attributes}></script>`;
}

interface Texts {
  readonly heading: string;
  readonly text: string;
  readonly more?: string | undefined;
}

function textsOf({ branding, ttlSeconds }: PageParts, outcome: Outcome, binding: Binding | undefined): Texts {
  const { platformName, productName, successCopy } = branding;
  const account = `The ${platformName} account “${binding?.platformUserName ?? ""}”`;
  const more = branding.errorCopy ?? `You can ask for a new link in ${platformName}.`;
  switch (outcome) {
    case "success":
      return {
        heading: "You are connected",
        text: successCopy ?? `${account} is now connected to you at ${productName}. You can close this page.`,
      };
    case "used":
      return {
        heading: "Already confirmed",
        text: `This link has done its work: it connected ${lowerFirst(account)}. There is nothing left to do.`,
      };
    case "expired":
      return {
        heading: "This link has expired",
        text: `It worked for ${minutes(ttlSeconds)}, and nothing was changed.`,
        more,
      };
    case "voided":
      return {
        heading: "This link was ended",
        text: "Somebody who read the mail said that it was not them. Nothing was changed.",
        more,
      };
    case "refused":
      return {
        heading: "Thank you, nothing was connected",
        text: `${account} can't use this link any more, and can't ask for your address again for a while.`,
      };
    case "unknown":
      return {
        heading: "This link is not valid",
        text: "It may be incomplete: some mail programs cut long links. Nothing was changed.",
        more,
      };
    case "failed":
      return {
        heading: "That did not work",
        text: "Something failed on our side, and nothing was changed. Please try the same link again in a moment.",
      };
  }
}

async function page(
  { branding, style }: PageParts,
  { heading, body }: { heading: string; body: Markup },
): Promise<string> {
  const document = await html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>${heading} · ${branding.productName}</title>
    <style>${raw(style.css)}</style>
  </head>
  <body>
    <main>${body}
    </main>
  </body>
</html>
`;
  return document.toString();
}

function minutes(seconds: number): string {
  const count = Math.max(1, Math.round(seconds / 60));
  return count === 1 ? "one minute" : `${count} minutes`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

const icon = (path: string) =>
  `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${path}</svg>`;
const CHAT_ICON = icon('<path d="M4 5h16v11H10l-4 4v-4H4z"/><path d="M8.5 10.5h.01M12 10.5h.01M15.5 10.5h.01"/>');
const CHECK_ICON = icon('<path d="M5 12.5l4.5 4.5L19 7.5"/>');
const CLOCK_ICON = icon('<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>');
const ALERT_ICON = icon('<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5v5M12 16h.01"/>');

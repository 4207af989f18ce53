import type { Mail } from "@hookline/core";
import { html } from "hono/html";

export interface ConfirmMailInput {
  readonly to: string;
  /** What `confirmUrl` answered. */
  readonly url: string;
  readonly productName: string;
  /** Such as `Discord`. */
  readonly platformName: string;
  /** As the platform shows the account that asks. */
  readonly platformUserName: string;
  /** How long the link works; 15 when absent. */
  readonly ttlMinutes?: number;
}

/** The mail with the confirm link: text and HTML part, names the account that asks, holds no secret but the link. */
export async function createConfirmMail(input: ConfirmMailInput): Promise<Mail> {
  const { to, url, productName, platformName, ttlMinutes = 15 } = input;
  const account = oneLine(input.platformUserName);
  const subject = oneLine(`Connect your ${platformName} account to ${productName}`);
  const question = `The ${platformName} account “${account}” asked to be connected to you at ${productName}. If it is yours, confirm it:`;
  const note = `The link works once, for ${ttlMinutes} minutes. If this was not you, you can say so on the page behind the link, or ignore this mail: nothing changes.`;

  const page = await html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${subject}</title></head>
<body style="margin:0;padding:32px 16px;background:#f4f5f8;color:#14161c;font:16px/1.55 -apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;max-width:480px;background:#ffffff;border:1px solid #e4e6ed;border-radius:16px"><tr><td style="padding:32px">
<h1 style="margin:0 0 12px;font-size:21px;line-height:1.3">${subject}</h1>
<p style="margin:0 0 24px">The ${platformName} account <strong>${account}</strong> asked to be connected to you at ${productName}. If it is yours, confirm it:</p>
<p style="margin:0 0 24px"><a href="${url}" style="display:inline-block;padding:13px 24px;border-radius:10px;background:#4f46e5;color:#ffffff;font-weight:600;text-decoration:none">Review and confirm</a></p>
<p style="margin:0 0 16px;font-size:14px;color:#5b6172">${note}</p>
<p style="margin:0;font-size:13px;color:#5b6172;word-break:break-all">If the button does nothing, open this address: ${url}</p>
</td></tr></table>
</td></tr></table>
</body>
</html>
`;
  return { to, subject, text: `${question}\n\n${url}\n\n${note}\n`, html: page.toString() };
}

/** Names come from strangers: no line breaks into headers, no more of them than fits. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]+/gu, " ")
    .trim()
    .slice(0, 120);
}

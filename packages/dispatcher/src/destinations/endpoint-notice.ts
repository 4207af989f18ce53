import type { Destination, Mailer } from "@hookline/core";
import type { EndpointDisabled } from "../operational-events.js";

export const ENDPOINT_NOTICE_ID = "hookline-endpoint-notice";

/** What the mail is about. Nothing of the target but the host: paths, queries and headers may hold credentials. */
export interface EndpointNotice extends EndpointDisabled {
  readonly host: string | null;
}

/** Mails an endpoint's contact address that the endpoint was disabled. A delivery like any other: at least once. */
export function endpointNoticeDestination(mailer: Mailer): Destination<{ readonly to: string }, never> {
  return {
    id: ENDPOINT_NOTICE_ID,
    plan(event, { endpoint }) {
      const notice = event.data as EndpointNotice;
      return {
        kind: "run",
        async run() {
          await mailer.send({ to: endpoint.target.to, ...noticeMail(notice) });
          return { outcome: "delivered" };
        },
      };
    },
  };
}

function noticeMail(notice: EndpointNotice): { readonly subject: string; readonly text: string } {
  const name = oneLine(notice.endpointName ?? notice.endpointId);
  const why =
    notice.cause === "gone"
      ? "It answered that it is gone for good."
      : `Every attempt has failed since ${notice.failingSince}.`;
  const status = notice.lastStatus === null ? "The last attempt got no answer." : `Last status: ${notice.lastStatus}.`;
  return {
    subject: `Webhook endpoint "${name}" was disabled`,
    text: [
      `The webhook endpoint "${name}" (${notice.endpointId}) was disabled at ${notice.disabledAt}.`,
      ...(notice.host === null ? [] : [`Host: ${notice.host}`]),
      `${why} ${status}`,
      "Its events are held and not lost. They are delivered once the endpoint is enabled again.",
      "",
    ].join("\n"),
  };
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

import { erxes, sign } from "@hookline/webhook-signing";
import type { NewStoredSource, SourceSecrets, StoredSource } from "../../src/index.js";

export const TENANT = "acme";

/** As the seed's automation asks for. */
export const TICKET_SOURCE: NewStoredSource = {
  tenantId: TENANT,
  endpoint: "discord-ticket",
  fields: [
    { name: "userName", type: "string", required: true, description: "Discord username" },
    { name: "userId", type: "string", required: true },
    { name: "ticketTitle", type: "string", required: true },
    { name: "ticketDescription", type: "string", required: true },
    { name: "priority", type: "number" },
    { name: "urgent", type: "boolean" },
    { name: "attachmentUrls", type: "array" },
    { name: "context", type: "object" },
  ],
};

export const TICKET = {
  userName: "anna",
  userId: "123",
  ticketTitle: "Cannot sign in",
  ticketDescription: "White page.",
  priority: 1,
};

export type MadeSource = StoredSource & SourceSecrets;

/** A caller's headers: the bearer token, and the signature in both forms unless told which. */
export function callHeaders(
  { bearerToken, secret }: SourceSecrets,
  body: string,
  {
    form = "both",
    ageSeconds = 0,
    nowMs = Date.now(),
  }: {
    readonly form?: "both" | "documented" | "server";
    readonly ageSeconds?: number;
    readonly nowMs?: number;
  } = {},
): Record<string, string> {
  const timestamp = Math.floor(nowMs / 1000) - ageSeconds;
  const signed = secret === null ? {} : sign(body, { scheme: erxes, secrets: [secret], timestamp });
  const isDocumented = (name: string) => name.startsWith("x-erxes-");
  const kept = Object.entries(signed).filter(
    ([name]) => form === "both" || isDocumented(name) === (form === "documented"),
  );
  return {
    "content-type": "application/json",
    ...(bearerToken === null ? {} : { authorization: `Bearer ${bearerToken}` }),
    ...Object.fromEntries(kept),
  };
}

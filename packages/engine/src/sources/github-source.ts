import { defineSource } from "@hookline/core";
import { github } from "@hookline/webhook-signing";
import { z } from "zod";
import type { EngineSource } from "./check-source.js";

export interface GithubSourceOptions {
  /** Any of them may fit, at least 8 bytes each. */
  readonly secrets: readonly string[];
  readonly tenantId?: string;
  /** `/webhooks/github` when absent. */
  readonly path?: string;
  readonly allowedAddresses?: readonly string[];
}

const NAME = /^[a-z][a-z0-9_]{0,63}$/;

const webhook = z.looseObject({ action: z.string().regex(NAME, "must be a word of a-z, 0-9 and _").optional() });

/**
 * Webhooks of GitHub, sent as `application/json`: hex HMAC over the body. Each becomes `github.<event>`, or
 * `github.<event>.<action>` where it names an action (`github.issues.opened`), with the payload as its data, about
 * nobody. `ping` becomes none.
 *
 * The event's name stands in `X-GitHub-Event`, which is not signed: only the payload says for certain what happened.
 *
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads
 * @example
 * createEngine({ …, sources: [githubSource({ secrets: [secret] })] });
 */
export function githubSource({ path = "/webhooks/github", ...options }: GithubSourceOptions): EngineSource {
  return defineSource({
    ...options,
    id: "github",
    path,
    scheme: github,
    schema: webhook,
    transform(payload, { headers, bodyHash }) {
      const event = headers.get("x-github-event") ?? "";
      if (event === "ping") return [];
      // A name that is none makes a type that is none, which is refused as such.
      const type = ["github", event, ...(payload.action === undefined ? [] : [payload.action])].join(".");
      return [{ type, idempotencyKey: `github:${bodyHash}`, data: payload }];
    },
  });
}

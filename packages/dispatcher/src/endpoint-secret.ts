import { sign } from "@hookline/webhook-signing";
import { schemeOf, type WebhookTarget } from "./destinations/webhook-target.js";
import { DispatcherError } from "./errors.js";

export function checkSecret(secret: string, target: WebhookTarget): void {
  const unfit = whyUnfit(secret, target);
  if (unfit === null) return;
  throw new DispatcherError("invalid_endpoint", `The endpoint's secret will not do: ${unfit.message}`, {
    cause: unfit.cause,
    issues: [{ path: "secret", message: unfit.message }],
  });
}

export function checkKeptSecret(secret: string, target: WebhookTarget): void {
  const unfit = whyUnfit(secret, target);
  if (unfit === null) return;
  const message = `does not fit a secret that the endpoint signs with: ${unfit.message}`;
  throw new DispatcherError("invalid_endpoint", `The endpoint's target.scheme ${message} Rotate the secret first.`, {
    cause: unfit.cause,
    issues: [{ path: "target.scheme", message }],
  });
}

/** Signs something, since only the scheme knows what will do as its secret. */
function whyUnfit(secret: string, target: WebhookTarget): { readonly message: string; readonly cause: unknown } | null {
  try {
    sign("", { scheme: schemeOf(target), secrets: [secret], id: "check", timestamp: 0 });
    return null;
  } catch (cause) {
    return { message: cause instanceof Error ? cause.message : "It cannot sign.", cause };
  }
}

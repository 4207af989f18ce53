import type { IncomingMessage } from "node:http";
import type { WebhookBody } from "../body.js";
import { WebhookVerificationError } from "../errors.js";
import { type BodyLimit, checkContentLength, defaultMaxBodyBytes, tooLarge } from "../max-body-bytes.js";

/** Node's request, with what frameworks put onto it. */
export type NodeRequest = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown };

/**
 * The body as it came: read now, or left by an earlier `express.raw()`, `express.text()` or a platform that keeps
 * `rawBody`.
 *
 * @throws WebhookVerificationError `body_too_large`, `body_incomplete`
 * @throws TypeError when a body parser has used the body up
 */
export async function readRawBody(
  request: NodeRequest,
  { maxBodyBytes = defaultMaxBodyBytes }: BodyLimit = {},
): Promise<WebhookBody> {
  if (request.rawBody instanceof Uint8Array) return request.rawBody;
  if (!request.readableDidRead && !request.readableEnded) return collect(request, maxBodyBytes);
  if (request.body instanceof Uint8Array || typeof request.body === "string") return request.body;
  throw new TypeError(
    "The raw body is gone: a body parser (such as express.json()) ran before. Mount the webhook's route before the parser, or let express.raw() parse it.",
  );
}

function collect(request: IncomingMessage, maxBodyBytes: number): Promise<Uint8Array> {
  checkContentLength(request.headers["content-length"], maxBodyBytes);
  // A request that is closed already, as after an asynchronous middleware, tells nothing to those who listen now.
  if (request.destroyed) throw incomplete(request.errored);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      // Not destroyed, so that the refusal can still be answered; Node drops the rest with the connection.
      if (length > maxBodyBytes) end(() => reject(tooLarge(maxBodyBytes)));
    };
    const onEnd = () => end(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const onClose = (cause?: unknown) => end(() => reject(incomplete(cause)));
    const end = (settle: () => void) => {
      request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose).pause();
      settle();
    };
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}

function incomplete(cause: unknown): WebhookVerificationError {
  return new WebhookVerificationError("body_incomplete", "The connection ended before the body did.", { cause });
}

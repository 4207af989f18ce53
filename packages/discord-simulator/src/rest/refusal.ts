import { HTTPException } from "hono/http-exception";

/** Discord's error body. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 429 | 500 | 502 | 503;
  readonly code: number;
  readonly message: string;
  readonly errors?: ErrorTree;
}

/** What is wrong, laid along the path of the body: `{ embeds: { 0: { title: { _errors: [...] } } } }`. */
export interface ErrorTree {
  [key: string]: ErrorTree | FieldError[];
}

export interface FieldError {
  readonly code: string;
  readonly message: string;
}

/** A field that is wrong, and where it is. */
export interface FieldFault extends FieldError {
  readonly path: readonly PropertyKey[];
}

/** @see https://discord.com/developers/docs/topics/opcodes-and-status-codes#json */
export const REFUSALS = {
  general: { status: 404, code: 0, message: "404: Not Found" },
  unauthorized: { status: 401, code: 0, message: "401: Unauthorized" },
  unknownApplication: { status: 404, code: 10002, message: "Unknown Application" },
  unknownChannel: { status: 404, code: 10003, message: "Unknown Channel" },
  unknownGuild: { status: 404, code: 10004, message: "Unknown Guild" },
  unknownMember: { status: 404, code: 10007, message: "Unknown Member" },
  unknownMessage: { status: 404, code: 10008, message: "Unknown Message" },
  unknownRole: { status: 404, code: 10011, message: "Unknown Role" },
  unknownUser: { status: 404, code: 10013, message: "Unknown User" },
  unknownEmoji: { status: 400, code: 10014, message: "Unknown Emoji" },
  unknownWebhook: { status: 404, code: 10015, message: "Unknown Webhook" },
  unknownInteraction: { status: 404, code: 10062, message: "Unknown interaction" },
  unknownCommand: { status: 404, code: 10063, message: "Unknown application command" },
  alreadyAcknowledged: { status: 400, code: 40060, message: "Interaction has already been acknowledged." },
  missingAccess: { status: 403, code: 50001, message: "Missing Access" },
  notTheAuthor: { status: 403, code: 50005, message: "Cannot edit a message authored by another user" },
  emptyMessage: { status: 400, code: 50006, message: "Cannot send an empty message" },
  cannotMessageUser: { status: 400, code: 50007, message: "Cannot send messages to this user" },
  directMessagesClosed: { status: 403, code: 50007, message: "Cannot send messages to this user" },
  notATextChannel: { status: 400, code: 50008, message: "Cannot send messages in a non-text channel" },
  bulkDeleteCount: {
    status: 400,
    code: 50016,
    message:
      "Provided too few or too many messages to delete. Must provide at least 2 and at most 100 messages to delete",
  },
  bulkDeleteAge: {
    status: 400,
    code: 50034,
    message: "You can only bulk delete messages that are under 14 days old.",
  },
  forumWantsThread: {
    status: 400,
    code: 220001,
    message: "Webhooks posted to forum channels must have a thread_name or thread_id",
  },
  forumThreadTwice: {
    status: 400,
    code: 220002,
    message: "Webhooks posted to forum channels cannot have both a thread_name and thread_id",
  },
  threadsInForumsOnly: { status: 400, code: 220003, message: "Webhooks can only create threads in forum channels" },
  missingScope: { status: 403, code: 50026, message: "Missing required OAuth2 scope" },
  missingPermissions: { status: 403, code: 50013, message: "Missing Permissions" },
  invalidWebhookToken: { status: 401, code: 50027, message: "Invalid Webhook Token" },
  invalidJson: { status: 400, code: 50109, message: "The request body contains invalid JSON." },
  methodNotAllowed: { status: 405, code: 0, message: "405: Method Not Allowed" },
} as const satisfies Record<string, Refusal>;

/** `throw refuse(REFUSALS.unknownChannel)` answers a request with Discord's status, code and message. */
export function refuse(refusal: Refusal): HTTPException {
  const { status, code, message, errors } = refusal;
  return refuseWith(status, { message, code, ...(errors ? { errors } : {}) });
}

/** A refusal with a body of another shape. */
export function refuseWith(status: Refusal["status"], body: Readonly<Record<string, unknown>>): HTTPException {
  const { message, ...rest } = body;
  return new HTTPException(status, {
    message: [message, JSON.stringify(rest)].filter(Boolean).join(" "),
    res: Response.json(body, { status }),
  });
}

/** 50035 with Discord's tree of errors. */
export function refuseFields(faults: readonly FieldFault[]): HTTPException {
  const errors: ErrorTree = {};
  for (const { path, code, message } of faults) {
    let node = errors;
    for (const key of path.map(String)) {
      const next = (node[key] as ErrorTree | undefined) ?? {};
      node[key] = next;
      node = next;
    }
    node._errors = [...((node._errors as FieldError[] | undefined) ?? []), { code, message }];
  }
  return refuse({ status: 400, code: 50035, message: "Invalid Form Body", errors });
}

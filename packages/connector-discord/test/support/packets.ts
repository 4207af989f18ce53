import { CHANNEL_ID, GUILD_ID, snowflake } from "./app.js";

export const ANNA = { id: "400000000000000001", username: "anna", global_name: "Anna", avatar: "a1b2" };
export const BEN = "400000000000000002";
export const RECEIVED_AT = "2026-01-15T10:30:05.000Z";

let seq = 0;

/** A packet as the worker posts it, each in a place of its own. */
export function item(type: string, d: unknown, change: object = {}) {
  seq += 1;
  return { key: `session:0:${seq}`, sessionId: "session", shard: 0, seq, type, receivedAt: RECEIVED_AT, d, ...change };
}

export const statuses = (answer: { body: { results: { status: string }[] } }) =>
  answer.body.results.map((one) => one.status);

/** As of MESSAGE_CREATE. */
export const message = (change: object = {}) => ({
  id: snowflake(Date.parse("2026-01-15T10:30:00.000Z")),
  channel_id: CHANNEL_ID,
  guild_id: GUILD_ID,
  type: 0,
  content: "hello",
  author: ANNA,
  member: { joined_at: "2025-01-01T00:00:00.000000+00:00", roles: ["500000000000000001"], nick: null },
  attachments: [],
  ...change,
});

/** As of MESSAGE_REACTION_ADD. */
export const reaction = (change: object = {}) => ({
  user_id: ANNA.id,
  channel_id: CHANNEL_ID,
  message_id: "700000000000000001",
  guild_id: GUILD_ID,
  message_author_id: BEN,
  emoji: { id: null, name: "👍" },
  burst: false,
  member: { user: ANNA, roles: [], joined_at: "2025-01-01T00:00:00.000000+00:00" },
  ...change,
});

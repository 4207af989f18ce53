import { GatewayCloseCodes as Close, GatewayOpcodes as Op } from "discord-api-types/v10";
import type { RawData, WebSocket } from "ws";
import type { PresenceState } from "../world/model.js";
import { guildCreatePayload, guildPayload, memberPayload, presencePayload } from "../world/payloads.js";
import type { GatewayContext } from "./gateway.js";
import { isKnownIntents, PRIVILEGED_INTENTS } from "./intents.js";
import { createGatewaySession, type GatewaySession, shardOf } from "./session.js";
import type { SessionStartLimit } from "./session-start-limit.js";

/** One open socket. */
export interface GatewayConnection {
  session(): GatewaySession | null;
  sendOp(op: number, d: unknown): void;
  drop(): void;
  /** Another connection has taken the session over. */
  release(): void;
  close(code: number, reason: string): void;
  invalidate(resumable: boolean): void;
}

export interface ConnectionContext extends GatewayContext {
  readonly sessions: Map<string, GatewaySession>;
  /** What cancels the end of a session that has no socket. */
  readonly expiries: Map<string, () => void>;
  readonly connections: Set<GatewayConnection>;
  readonly startLimit: SessionStartLimit;
}

const MAX_EVENTS_PER_MINUTE = 120;
/** Ops that Discord accepts and that change nothing here: voice state, soundboard, channel info. */
const ACCEPTED_WITHOUT_EFFECT: ReadonlySet<number> = new Set([Op.VoiceStateUpdate, 31, 43]);

export function openConnection(context: ConnectionContext, socket: WebSocket, url: URL): void {
  const { clock, wallClock, connections, expiries, sessions, world, heartbeatIntervalMs } = context;
  let session: GatewaySession | null = null;
  let minuteStartedAtMs = wallClock.now();
  let eventsThisMinute = 0;
  let closedByUs = false;

  const connection: GatewayConnection = {
    session: () => session,
    sendOp(op, d) {
      socket.send(JSON.stringify({ op, d, s: null, t: null }));
    },
    drop: () => socket.terminate(),
    release() {
      session = null;
    },
    close(code, reason) {
      closedByUs = true;
      if (code === Close.AuthenticationFailed || code === Close.InvalidSeq || code >= Close.InvalidShard) {
        forget();
      }
      socket.close(code, reason);
    },
    invalidate(resumable) {
      if (resumable) {
        setAside();
      } else {
        forget();
      }
      connection.sendOp(Op.InvalidSession, resumable);
    },
  };

  function forget(): void {
    if (session) {
      sessions.delete(session.id);
      session.attach(null);
      session = null;
    }
  }

  /** Leaves the session without a socket; it can be resumed for a while, on this connection too. */
  function setAside(): void {
    const ended = session;
    session = null;
    if (ended) {
      ended.attach(null);
      expiries.set(
        ended.id,
        clock.setTimer(() => sessions.delete(ended.id), context.sessionKeepMs),
      );
    }
  }

  let cancelHeartbeatCheck = expectHeartbeat();
  function expectHeartbeat(): () => void {
    const timedOut = () => connection.close(Close.SessionTimedOut, "No heartbeat came.");
    return wallClock.setTimer(timedOut, heartbeatIntervalMs * 2);
  }

  function attach(next: GatewaySession): void {
    session = next;
    expiries.get(next.id)?.();
    expiries.delete(next.id);
    for (const other of connections) {
      if (other !== connection && other.session() === next) {
        other.release();
        other.drop();
      }
    }
    next.attach((text) => socket.send(text));
  }

  function identify(d: Record<string, unknown>): void {
    if (session) {
      connection.close(Close.AlreadyAuthenticated, "Already authenticated.");
      return;
    }
    const refusal = refuseIdentify(context, d);
    if (refusal) {
      connection.close(refusal.code, refusal.reason);
      return;
    }
    const shard = (d.shard as [number, number] | undefined) ?? [0, 1];
    const intents = d.intents as number;
    const next = createGatewaySession({ world, intents, shard, keptPackets: context.keptPackets });
    sessions.set(next.id, next);
    attach(next);
    sendReady(context, next);
    setBotPresence(context, (d.presence as PresenceInput | undefined) ?? { status: "online" });
  }

  function resume(d: Record<string, unknown>): void {
    if (session) {
      connection.close(Close.AlreadyAuthenticated, "Already authenticated.");
      return;
    }
    if (d.token !== world.application.botToken) {
      connection.close(Close.AuthenticationFailed, "Authentication failed.");
      return;
    }
    const known = typeof d.session_id === "string" ? sessions.get(d.session_id) : undefined;
    if (!known) {
      connection.sendOp(Op.InvalidSession, false);
      return;
    }
    const seq = Number(d.seq);
    if (!Number.isInteger(seq) || seq < 0 || seq > known.seq()) {
      sessions.delete(known.id);
      connection.close(Close.InvalidSeq, "Invalid seq.");
      return;
    }
    attach(known);
    if (!known.replay(seq)) {
      connection.invalidate(false);
      return;
    }
    known.dispatch("RESUMED", { _trace: ["simulator"] });
  }

  function receive(op: number, d: unknown): void {
    const data = (typeof d === "object" && d !== null ? d : {}) as Record<string, unknown>;
    if (op === Op.Heartbeat) {
      cancelHeartbeatCheck();
      cancelHeartbeatCheck = expectHeartbeat();
      connection.sendOp(Op.HeartbeatAck, null);
    } else if (op === Op.Identify) {
      identify(data);
    } else if (op === Op.Resume) {
      resume(data);
    } else if (!session) {
      connection.close(Close.NotAuthenticated, "Not authenticated.");
    } else if (op === Op.PresenceUpdate) {
      setBotPresence(context, data as unknown as PresenceInput);
    } else if (op === Op.RequestGuildMembers) {
      sendMembers(context, session, data);
    } else if (!ACCEPTED_WITHOUT_EFFECT.has(op)) {
      connection.close(Close.UnknownOpcode, "Unknown opcode.");
    }
  }

  socket.on("message", (raw: RawData) => {
    if (wallClock.now() - minuteStartedAtMs >= 60_000) {
      minuteStartedAtMs = wallClock.now();
      eventsThisMinute = 0;
    }
    eventsThisMinute += 1;
    if (eventsThisMinute > MAX_EVENTS_PER_MINUTE) {
      connection.close(Close.RateLimited, "You are being rate limited.");
      return;
    }
    const payload = decode(raw);
    if (payload) {
      receive(payload.op, payload.d);
    } else {
      connection.close(Close.DecodeError, "Error while decoding payload.");
    }
  });

  socket.on("error", (error) => context.logger.debug({ err: error }, "gateway socket failed"));

  socket.on("close", (code) => {
    cancelHeartbeatCheck();
    connections.delete(connection);
    if (!closedByUs && (code === 1000 || code === 1001)) {
      forget();
    } else {
      setAside();
    }
    if (connections.size === 0) {
      setBotPresence(context, { status: "offline" });
    }
  });

  connections.add(connection);
  const version = url.searchParams.get("v") ?? "10";
  if (version !== "10" && version !== "9") {
    connection.close(Close.InvalidAPIVersion, "Invalid API version.");
    return;
  }
  if ((url.searchParams.get("encoding") ?? "json") !== "json" || url.searchParams.has("compress")) {
    connection.close(Close.DecodeError, "This simulator speaks uncompressed JSON only.");
    return;
  }
  socket.send(
    JSON.stringify({
      op: Op.Hello,
      d: { heartbeat_interval: heartbeatIntervalMs, _trace: ["simulator"] },
      s: null,
      t: null,
    }),
  );
}

function decode(raw: RawData): { op: number; d: unknown } | null {
  try {
    const payload = JSON.parse(String(raw)) as { op?: unknown; d?: unknown } | null;
    return typeof payload?.op === "number" ? { op: payload.op, d: payload.d } : null;
  } catch {
    return null;
  }
}

function refuseIdentify(
  { world, startLimit }: ConnectionContext,
  { token, intents, shard, properties }: Record<string, unknown>,
): { code: number; reason: string } | null {
  if (token !== world.application.botToken) {
    return { code: Close.AuthenticationFailed, reason: "Authentication failed." };
  }
  if (!isKnownIntents(intents) || typeof properties !== "object") {
    return { code: Close.InvalidIntents, reason: "Invalid intent(s)." };
  }
  const privileged = PRIVILEGED_INTENTS.members | PRIVILEGED_INTENTS.presences | PRIVILEGED_INTENTS.messageContent;
  if ((intents & privileged & ~world.application.privilegedIntents) !== 0) {
    return { code: Close.DisallowedIntents, reason: "Disallowed intent(s)." };
  }
  if (shard !== undefined && !isShard(shard)) {
    return { code: Close.InvalidShard, reason: "Invalid shard." };
  }
  if (!startLimit.take()) {
    return { code: Close.AuthenticationFailed, reason: "No session starts are left; Discord resets the token." };
  }
  return null;
}

function isShard(shard: unknown): boolean {
  if (!Array.isArray(shard) || shard.length !== 2) {
    return false;
  }
  const [id, count] = shard as [unknown, unknown];
  return Number.isInteger(id) && Number.isInteger(count) && Number(id) >= 0 && Number(id) < Number(count);
}

function sendReady(context: ConnectionContext, session: GatewaySession): void {
  const { world } = context;
  const [shardId, shardCount] = session.shard;
  const guilds = [...world.guilds.values()].filter(
    (guild) => guild.members.has(world.application.bot.id) && shardOf(guild.id, shardCount) === shardId,
  );
  session.dispatch("READY", {
    v: 10,
    user: { ...world.application.bot, verified: true, mfa_enabled: false, email: null, flags: 0 },
    guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
    session_id: session.id,
    session_type: "normal",
    resume_gateway_url: context.gatewayUrl(),
    shard: session.shard,
    application: { id: world.application.id, flags: applicationFlags(world.application.privilegedIntents) },
    private_channels: [],
    presences: [],
    relationships: [],
    guild_join_requests: [],
    user_settings: {},
    geo_ordered_rtc_regions: [],
    _trace: ["simulator"],
  });
  for (const guild of guilds) {
    session.deliver({ t: "GUILD_CREATE", d: guildCreatePayload(world, guild), guildId: guild.id });
  }
}

/** The application flags that say which privileged intents are switched on. */
export function applicationFlags(privilegedIntents: number): number {
  const presences = privilegedIntents & PRIVILEGED_INTENTS.presences ? 1 << 13 : 0;
  const members = privilegedIntents & PRIVILEGED_INTENTS.members ? 1 << 15 : 0;
  const content = privilegedIntents & PRIVILEGED_INTENTS.messageContent ? 1 << 19 : 0;
  return presences | members | content;
}

interface PresenceInput {
  readonly status: string;
  readonly activities?: PresenceState["activities"];
}

/** Discord does not tell a bot of its own presence, so no packet goes out. */
function setBotPresence({ world }: ConnectionContext, { status, activities }: PresenceInput): void {
  const bot = world.users.get(world.application.bot.id);
  const known = status === "invisible" ? "offline" : (status as PresenceState["status"]);
  if (bot) {
    bot.presence = { status: known, activities: activities ?? [] };
  }
}

/** Answers op 8. */
function sendMembers({ world }: ConnectionContext, session: GatewaySession, d: Record<string, unknown>): void {
  const guild = world.guilds.get(String(d.guild_id));
  if (!guild) {
    return;
  }
  const query = typeof d.query === "string" ? d.query.toLowerCase() : undefined;
  const wanted = d.user_ids === undefined ? undefined : new Set([d.user_ids].flat().map(String));
  const limit = Number(d.limit ?? 0);
  const found = [...guild.members.values()].filter(({ user, nick }) =>
    wanted ? wanted.has(user.id) : `${nick ?? user.username}`.toLowerCase().startsWith(query ?? ""),
  );
  const members = limit > 0 ? found.slice(0, limit) : found;
  session.dispatch("GUILD_MEMBERS_CHUNK", {
    guild_id: guildPayload(guild).id,
    members: members.map(memberPayload),
    chunk_index: 0,
    chunk_count: 1,
    ...(wanted ? { not_found: [...wanted].filter((id) => !guild.members.has(id)) } : {}),
    ...(d.presences === true
      ? {
          presences: members.flatMap(({ user }) => {
            const state = world.users.get(user.id);
            return state ? [presencePayload(guild.id, user.id, state.presence)] : [];
          }),
        }
      : {}),
    ...(typeof d.nonce === "string" ? { nonce: d.nonce } : {}),
  });
}

import { REST } from "@discordjs/rest";
import { WebSocketManager, WebSocketShardEvents } from "@discordjs/ws";
import { GatewayDispatchEvents, type GatewayDispatchPayload, GatewayIntentBits } from "discord-api-types/v10";
import { WebSocket } from "ws";
import type { DiscordSimulator } from "../src/index.js";

export const ALL_INTENTS =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMembers |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.GuildMessageReactions |
  GatewayIntentBits.GuildPresences |
  GatewayIntentBits.MessageContent;

export interface ShardClient {
  readonly manager: WebSocketManager;
  readonly packets: GatewayDispatchPayload[];
  readonly closes: number[];
  readonly errors: Error[];
  /** How often each of READY and RESUMED came. */
  count(type: "READY" | "RESUMED"): number;
  /** The texts of the messages, in the order they came. */
  texts(): string[];
}

/** `@discordjs/ws` on `@discordjs/rest`, with nothing changed but the base URL. */
export function createShardClient(simulator: DiscordSimulator, intents: number = ALL_INTENTS): ShardClient {
  const rest = new REST({ api: `${simulator.url}/api`, retries: 0 }).setToken(simulator.application.botToken);
  const manager = new WebSocketManager({
    token: simulator.application.botToken,
    intents,
    rest,
  });
  const packets: GatewayDispatchPayload[] = [];
  const closes: number[] = [];
  const errors: Error[] = [];
  manager.on(WebSocketShardEvents.Dispatch, (payload) => {
    packets.push(payload);
  });
  manager.on(WebSocketShardEvents.Closed, (code) => {
    closes.push(code);
  });
  manager.on(WebSocketShardEvents.Error, (error) => {
    errors.push(error);
  });
  return {
    manager,
    packets,
    closes,
    errors,
    count: (type) => packets.filter(({ t }) => t === type).length,
    texts: () => packets.flatMap(({ t, d }) => (t === GatewayDispatchEvents.MessageCreate ? [d.content] : [])),
  };
}

export interface RawClient {
  readonly socket: WebSocket;
  send(op: number, d: unknown): void;
  /** The next payload that fits, also one that came already. */
  next(fits: (payload: RawPayload) => boolean): Promise<RawPayload>;
  /** The code and reason with which the server closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export interface RawPayload {
  readonly op: number;
  readonly t: string | null;
  readonly s: number | null;
  readonly d: Record<string, unknown>;
}

/** A bare WebSocket, for what no library would send. */
export async function openRawClient(simulator: DiscordSimulator, query = "v=10&encoding=json"): Promise<RawClient> {
  const socket = new WebSocket(`${simulator.url.replace(/^http/, "ws")}/?${query}`);
  const received: RawPayload[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (raw) => {
    received.push(JSON.parse(String(raw)) as RawPayload);
    for (const wake of [...waiting]) {
      wake();
    }
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  return {
    socket,
    closed,
    send: (op, d) => socket.send(JSON.stringify({ op, d })),
    next: (fits) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("the payload did not come")), 10_000);
        const check = () => {
          const index = received.findIndex(fits);
          const found = received[index];
          if (found) {
            clearTimeout(timer);
            waiting.delete(check);
            received.splice(0, index + 1);
            resolve(found);
          }
        };
        waiting.add(check);
        check();
      }),
  };
}

export function identifyPayload(simulator: DiscordSimulator, changes: Record<string, unknown> = {}) {
  return {
    token: simulator.application.botToken,
    intents: ALL_INTENTS,
    properties: { os: "linux", browser: "test", device: "test" },
    ...changes,
  };
}

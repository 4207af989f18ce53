import type { Clock, Logger } from "@hookline/core";
import type { WebSocket } from "ws";
import type { Packet, World } from "../world/model.js";
import { type ConnectionContext, type GatewayConnection, openConnection } from "./connection.js";
import type { GatewaySession } from "./session.js";
import { createSessionStartLimit, type SessionStartLimit } from "./session-start-limit.js";

/** The WebSocket side of Discord. */
export interface Gateway {
  readonly startLimit: SessionStartLimit;
  /** Takes over a socket that has been opened. `url` carries `v` and `encoding`. */
  accept(socket: WebSocket, url: URL): void;
  deliver(packet: Packet): void;
  /** True when somebody got it. */
  deliverInteraction(packet: Packet): boolean;
  connections(): number;
  sessions(): number;
  /** Cuts the TCP connections without a closing frame. */
  dropSockets(): number;
  /** op 7 to everybody. */
  askToReconnect(): number;
  /** op 9 to everybody; with false the sessions are forgotten. */
  invalidateSessions(resumable: boolean): number;
  closeSockets(code: number, reason: string): number;
}

export interface GatewayContext {
  readonly world: World;
  readonly clock: Clock;
  /** What the application lives by: it is not put forward. */
  readonly wallClock: Clock;
  readonly logger: Logger;
  /** `ws://…`, known once the server listens. */
  readonly gatewayUrl: () => string;
  readonly heartbeatIntervalMs: number;
  readonly sessionKeepMs: number;
  readonly keptPackets: number;
  readonly sessionStartLimit: number;
  readonly maxConcurrency: number;
}

export function createGateway(context: GatewayContext): Gateway {
  const connections = new Set<GatewayConnection>();
  const sessions = new Map<string, GatewaySession>();
  const startLimit = createSessionStartLimit({
    total: context.sessionStartLimit,
    maxConcurrency: context.maxConcurrency,
    now: () => context.clock.now(),
  });
  const shared: ConnectionContext = { ...context, sessions, expiries: new Map(), connections, startLimit };

  const toAll = (act: (connection: GatewayConnection) => void): number => {
    const open = [...connections];
    for (const connection of open) {
      act(connection);
    }
    return open.length;
  };

  return {
    startLimit,
    accept(socket, url) {
      openConnection(shared, socket, url);
    },
    deliver(packet) {
      for (const session of sessions.values()) {
        session.deliver(packet);
      }
    },
    deliverInteraction(packet) {
      const attached = [...connections].flatMap((connection) => connection.session() ?? []);
      return attached.filter((session) => session.deliver(packet)).length > 0;
    },
    connections: () => connections.size,
    sessions: () => sessions.size,
    dropSockets: () => toAll((connection) => connection.drop()),
    askToReconnect: () => toAll((connection) => connection.sendOp(7, null)),
    invalidateSessions: (resumable) => toAll((connection) => connection.invalidate(resumable)),
    closeSockets: (code, reason) => toAll((connection) => connection.close(code, reason)),
  };
}

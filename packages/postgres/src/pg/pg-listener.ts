import type { Logger } from "@hookline/core";
import { DatabaseError } from "../errors.js";
import { quoteIdentifier } from "../identifier.js";
import { createNotificationProbe } from "./notification-probe.js";
import { toDatabaseError } from "./pg-error.js";
import { createClientRunner, type PgStatement } from "./pg-session.js";
import type { PgPool } from "./pool-face.js";

const DEFAULTS = { firstRetryMs: 100, maxRetryMs: 5_000 } as const;

/** LISTEN on one client that is taken when first needed and taken anew when its connection breaks. */
export interface PgListener {
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

interface Connected {
  run(statement: PgStatement): Promise<unknown>;
  drop(): void;
}

type Subscriber = (payload: string) => void;

export function createPgListener({
  pool,
  logger,
  notify,
}: {
  readonly pool: PgPool;
  readonly logger: Logger;
  /** Notifies a channel from another connection. */
  readonly notify: (channel: string) => Promise<unknown>;
}): PgListener {
  const probe = createNotificationProbe({ logger, notify });
  const channels = new Map<string, Set<Subscriber>>();
  let connected: Connected | undefined;
  let connecting: Promise<Connected> | undefined;
  let retryTimer: NodeJS.Timeout | undefined;
  let closed = false;

  function call(subscribers: Iterable<Subscriber>, payload: string): void {
    for (const subscriber of [...subscribers]) {
      try {
        subscriber(payload);
      } catch (error) {
        logger.error({ err: error }, "a notification's listener threw");
      }
    }
  }

  async function connect(): Promise<Connected> {
    const client = await pool.connect();
    const onNotification = (message: { channel: string; payload?: string }) => {
      probe.hear(message.channel);
      call(channels.get(message.channel) ?? [], message.payload ?? "");
    };
    let dropped = false;
    const drop = (failure?: unknown) => {
      if (dropped) return;
      dropped = true;
      client.removeListener("notification", onNotification);
      probe.end();
      // The error listener stays: a destroyed client may still report what its socket met.
      client.release(true);
      connected = undefined;
      if (failure !== undefined && !closed) {
        logger.warn({ err: toDatabaseError(failure) }, "the listening connection was lost; reconnecting");
        scheduleReconnect(DEFAULTS.firstRetryMs);
      }
    };
    client.on("error", drop);
    client.on("end", () => drop(new DatabaseError("connection_failed", "The listening connection ended.")));
    client.on("notification", onNotification);
    const run = createClientRunner(client);
    try {
      for (const channel of [probe.channel, ...channels.keys()]) await run(listenStatement(channel));
    } catch (error) {
      drop();
      throw error;
    }
    if (closed || dropped) {
      drop();
      throw new DatabaseError("connection_failed", "The listening connection ended at once.");
    }
    connected = { run, drop };
    probe.begin();
    return connected;
  }

  function connection(): Promise<Connected> {
    if (connected) return Promise.resolve(connected);
    connecting ??= connect().finally(() => {
      connecting = undefined;
    });
    return connecting;
  }

  function scheduleReconnect(delayMs: number): void {
    if (closed || retryTimer || channels.size === 0) return;
    retryTimer = setTimeout(() => {
      retryTimer = undefined;
      if (channels.size === 0) return;
      connection().then(
        () => {
          for (const subscribers of channels.values()) call(subscribers, "");
        },
        (error: unknown) => {
          logger.warn({ err: toDatabaseError(error) }, "the listening connection is still down");
          scheduleReconnect(Math.min(delayMs * 2, DEFAULTS.maxRetryMs));
        },
      );
    }, delayMs);
  }

  async function unlisten(channel: string, subscriber: Subscriber): Promise<void> {
    const subscribers = channels.get(channel);
    if (!subscribers?.delete(subscriber) || subscribers.size > 0) return;
    channels.delete(channel);
    if (channels.size === 0) connected?.drop();
    else if (connected) await connected.run({ text: `UNLISTEN ${quoteIdentifier(channel)}`, params: [] });
  }

  return {
    async listen(channel, onNotify) {
      const subscriber: Subscriber = (payload) => onNotify(payload);
      const known = channels.get(channel);
      if (known) known.add(subscriber);
      else channels.set(channel, new Set([subscriber]));
      try {
        await (await connection()).run(listenStatement(channel));
      } catch (error) {
        await unlisten(channel, subscriber);
        throw toDatabaseError(error);
      }
      return () => unlisten(channel, subscriber);
    },
    async close() {
      closed = true;
      clearTimeout(retryTimer);
      channels.clear();
      await connecting?.catch(() => undefined);
      connected?.drop();
    },
  };
}

function listenStatement(channel: string): PgStatement {
  return { text: `LISTEN ${quoteIdentifier(channel)}`, params: [] };
}

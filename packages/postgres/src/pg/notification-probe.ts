import { randomUUID } from "node:crypto";
import type { Logger } from "@hookline/core";

/** How long a notification may take from its commit to the listening connection. */
const LIMIT_MS = 5_000;
const UNHEARD =
  "notifications do not reach the listening connection, as behind a pooler that hands connections around: listeners hear nothing unless listenUrl leads to the server itself";

/** Has the log say when a connection that listens hears nothing. */
export interface NotificationProbe {
  /** What the listening connection is to listen to beside the rest. */
  readonly channel: string;
  /** Notifies the channel, and waits for what `hear` is told. */
  begin(): void;
  hear(channel: string): void;
  /** The connection is gone. */
  end(): void;
}

export function createNotificationProbe({
  logger,
  notify,
}: {
  readonly logger: Logger;
  readonly notify: (channel: string) => Promise<unknown>;
}): NotificationProbe {
  const channel = `hookline_probe_${randomUUID()}`;
  let timer: NodeJS.Timeout | undefined;
  let isAwaited = false;

  const end = (): void => {
    isAwaited = false;
    clearTimeout(timer);
  };

  return {
    channel,
    begin() {
      end();
      isAwaited = true;
      notify(channel).then(
        () => {
          if (isAwaited) timer = setTimeout(() => logger.warn({}, UNHEARD), LIMIT_MS);
        },
        (error: unknown) => logger.debug({ err: error }, "it could not be tried whether notifications arrive"),
      );
    },
    hear(heard) {
      if (heard === channel) end();
    },
    end,
  };
}

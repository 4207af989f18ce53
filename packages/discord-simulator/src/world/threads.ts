import type { Snowflakes } from "../snowflake.js";
import type { ChannelState, Packet, World } from "./model.js";
import { channelPayload } from "./payloads.js";
import { makeChannel } from "./records.js";

/** Public threads below text and forum channels. */
export interface Threads {
  open(thread: NewThread): ChannelState;
}

interface NewThread {
  readonly parent: ChannelState;
  readonly name: string;
  readonly ownerId: string;
  /** That of the message which it starts from; one of its own when absent. */
  readonly id?: string | undefined;
}

interface ThreadsContext {
  readonly world: World;
  readonly snowflake: Snowflakes;
  readonly now: () => number;
  readonly publish: (packet: Packet) => void;
}

export function createThreads({ world, snowflake, now, publish }: ThreadsContext): Threads {
  return {
    open({ parent, name, ownerId, id = snowflake() }) {
      const createdAt = new Date(now()).toISOString();
      const thread = makeChannel({
        id,
        type: 11,
        guildId: parent.guildId,
        parentId: parent.id,
        name,
        ownerId,
        createdAt,
      });
      world.channels.set(id, thread);
      world.guilds.get(parent.guildId ?? "")?.channels.set(id, thread);
      publish({ t: "THREAD_CREATE", d: { ...channelPayload(thread), newly_created: true }, guildId: thread.guildId });
      return thread;
    },
  };
}

import type { StoredEvent } from "../api-client.js";
import { type Stage, untilReceived, untilStored } from "../stage.js";

/** 1. A member writes and reacts: three events, three signed webhooks. */
export async function showActivity(stage: Stage): Promise<void> {
  const { report, discord } = stage;
  report.step(1, "What happens on Discord becomes events and signed webhooks");

  const words = await discord.member("ben").say("general", `Good morning, everybody! (${stage.runId})`);
  const own = await report.seen("Anna writes in #general and reacts to what Ben wrote", async () => {
    const message = await discord.member("anna").say("general", `Good morning, Ben! (${stage.runId})`);
    await discord.member("anna").react(words, "👋");
    return message;
  });
  const stored = await report.seen(
    "discord.message_sent, .reaction_added and .reaction_received are stored",
    async () => {
      const about = (messageId: string) => (event: StoredEvent) => event.data.messageId === messageId;
      return [
        await untilStored(stage, "discord.message_sent", about(words.id)),
        await untilStored(stage, "discord.message_sent", about(own.id)),
        await untilStored(stage, "discord.reaction_added", about(words.id)),
        await untilStored(stage, "discord.reaction_received", about(words.id)),
      ];
    },
  );
  await report.seen(`The receiver has verified the signatures of all ${stored.length} webhooks`, () =>
    untilReceived(stage, stored),
  );
}

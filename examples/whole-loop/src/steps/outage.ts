import type { StoredEvent } from "../api-client.js";
import { expectThat, type Stage, untilReceived, untilStored } from "../stage.js";
import { until } from "../until.js";

const MESSAGES = 5;

/** 5. The receiver is killed, misses webhooks, and gets them all once it is back. */
export async function showOutage(stage: Stage): Promise<void> {
  const { report, discord, api, receiver, runId } = stage;
  report.step(5, "A receiver that was down gets what it missed");

  const missed = await report.seen(`The receiver is killed; Anna writes ${MESSAGES} messages meanwhile`, async () => {
    await receiver.crash();
    const events: StoredEvent[] = [];
    for (let index = 1; index <= MESSAGES; index += 1) {
      const { id } = await discord.member("anna").say("general", `Is anybody there? ${index} (${runId})`);
      events.push(await untilStored(stage, "discord.message_sent", ({ data }) => data.messageId === id));
    }
    return events;
  });
  await report.seen("Deliveries fail and wait for their next try", async () => {
    for (const event of missed) {
      await until("a failed attempt", async () => {
        const { deliveries } = await api.get<{ deliveries: { attempts: number; status: string }[] }>(
          `/v1/deliveries?eventId=${event.id}`,
        );
        return deliveries.some(({ attempts, status }) => attempts > 0 && status === "pending");
      });
    }
  });
  await report.seen("The receiver is back: the retries bring everything", async () => {
    await receiver.restart();
    await untilReceived(stage, missed);
  });
  await report.seen("Nothing is lost, and nothing of the whole run came twice", async () => {
    const ids = (await receiver.received()).map(({ id }) => id);
    expectThat(new Set(ids).size === ids.length, "every webhook came once");
  });
}

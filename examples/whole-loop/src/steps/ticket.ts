import { expectThat, type Stage, untilReceived, untilStored } from "../stage.js";

/** 3. `/ticket`: a modal, a numbered ticket, an embed in the support channel, a private answer. */
export async function showTicket(stage: Stage): Promise<void> {
  const { report, discord, api, runId } = stage;
  report.step(3, "/ticket opens a numbered ticket");

  const title = `The export stays empty (${runId})`;
  const number = await report.seen("Ben fills in the modal and is told his ticket's number, privately", async () => {
    const modal = await discord.member("ben").slash("ticket", {}, { channel: "support" });
    const submitted = await modal.submitModal({
      title,
      description: "Since this morning the CSV export has only its header line. @everyone",
      priority: "high",
    });
    const answer = await submitted.reply();
    expectThat(answer.ephemeral, "only Ben sees the answer");
    const found = /TKT-\d{4}-\d+/.exec(answer.content)?.[0];
    expectThat(found !== undefined, "the answer holds a ticket number");
    return found;
  });

  await report.seen(`${number} is in the desk's table, and ticket.created is delivered`, async () => {
    const { tickets } = await api.get<{ tickets: { ticket_number: string; title: string }[] }>("/v1/tickets");
    expectThat(
      tickets.some((ticket) => ticket.ticket_number === number && ticket.title === title),
      "the ticket is stored",
    );
    const event = await untilStored(stage, "ticket.created", ({ data }) => data.ticket_number === number);
    await untilReceived(stage, [event]);
  });
  await report.seen("An embed stands in #support, and mentions nobody", async () => {
    const message = await discord.waitForMessage(({ embeds }) => embeds[0]?.title?.includes(number) ?? false, {
      channel: "support",
    });
    expectThat(!message.mention_everyone, "nobody was mentioned");
  });
}

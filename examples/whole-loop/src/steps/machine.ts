import { expectThat, type Stage, untilReceived, untilStored } from "../stage.js";

interface Machine {
  readonly asset_id: string;
  readonly status: string;
}

/** 4. A machine registers; a moderator approves it with a button, somebody else may not. */
export async function showMachine(stage: Stage): Promise<void> {
  const { report, discord, api, runId } = stage;
  report.step(4, "A product event becomes a message with buttons that act");

  const hostname = `DESKTOP-${runId}`;
  const machine = await api.post<Machine>("/v1/machines", { hostname, ip_address: "192.168.1.100" });
  const message = await report.seen(`${hostname} registers; #ops shows Approve and Deny`, async () => {
    const found = await discord.waitForMessage((one) => JSON.stringify(one.embeds).includes(hostname), {
      channel: "ops",
    });
    expectThat((found.components?.length ?? 0) > 0, "the message has buttons");
    return found;
  });

  await report.seen("Anna presses Approve and is refused, privately", async () => {
    const answer = await (await discord.member("anna").click(message, "Approve")).reply();
    expectThat(answer.ephemeral && answer.content.includes("manage this server"), "a private refusal");
    const { status } = await api.get<Machine>(`/v1/machines/${machine.asset_id}`);
    expectThat(status === "pending", "the machine still waits");
  });
  await report.seen("The moderator presses Approve: the machine is approved", async () => {
    await discord.member("mod").click(message, "Approve");
    const { status } = await api.get<Machine>(`/v1/machines/${machine.asset_id}`);
    expectThat(status === "approved", "the machine is approved");
  });
  await report.seen("The message in #ops has changed and lost its buttons", () =>
    discord
      .waitForMessage(
        ({ id, embeds, components }) =>
          id === message.id && embeds[0]?.title === "Machine approved" && (components?.length ?? 0) === 0,
        { channel: "ops" },
      )
      .then(() => undefined),
  );
  await report.seen("machine.approved is delivered to the receiver", async () => {
    const event = await untilStored(stage, "machine.approved", ({ data }) => data.asset_id === machine.asset_id);
    await untilReceived(stage, [event]);
  });
}

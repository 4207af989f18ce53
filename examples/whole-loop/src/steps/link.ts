import type { Contact } from "../api-client.js";
import { expectThat, type Stage, untilReceived, untilStored } from "../stage.js";
import { until } from "../until.js";

/** 2. `/link`: an address, a mail, a page, a button; then one contact, an event and a role. */
export async function showLink(stage: Stage): Promise<void> {
  const { report, discord, api, runId } = stage;
  report.step(2, "/link makes one contact of a Discord account and an email address");

  // A member of this run's own, so that the loop shows the same thing every time.
  const username = `cleo.${runId}`;
  const email = `cleo+${runId}@example.com`;
  const cleo = await discord.addMember({ username, displayName: "Cleo" });
  const { id: discordId } = (await memberOf(stage, username)) ?? { id: "" };

  await report.seen(`Cleo runs /link and types ${email}`, async () => {
    const modal = await cleo.slash("link", {}, { channel: "general" });
    const answer = await (await modal.submitModal({ email })).reply();
    expectThat(answer.ephemeral, "only Cleo sees the answer");
    expectThat(!JSON.stringify(answer).includes(email), "the answer does not repeat the address");
  });

  const url = await report.seen("The mail with the confirm link lies in the local outbox", () =>
    until("the confirm mail", async () => {
      const { mails } = await api.get<{ mails: { text: string }[] }>(
        `/v1/development/mails?to=${encodeURIComponent(email)}`,
      );
      return mails[0]?.text.match(/https?:\/\/\S+/)?.[0];
    }),
  );

  await report.seen("The page names the account that asks; its button confirms", async () => {
    const page = await (await fetch(url)).text();
    expectThat(page.includes(username), `the page names ${username}`);
    const fields = [...page.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]): [string, string] => [
      /name="([^"]*)"/.exec(input)?.[1] ?? "",
      /value="([^"]*)"/.exec(input)?.[1] ?? "",
    ]);
    const action = new URL(/<form[^>]*action="([^"]*)"/.exec(page)?.[1] ?? url, url);
    const answer = await fetch(action, {
      method: "POST",
      headers: { origin: action.origin },
      body: new URLSearchParams(fields),
    });
    expectThat(answer.ok, `the confirmation succeeds, not ${answer.status}`);
  });

  await report.seen("One contact carries the Discord id and the address", async () => {
    const byDiscord = await contactWith(stage, ["discord", discordId]);
    const byEmail = await contactWith(stage, ["email", email]);
    expectThat(byDiscord !== undefined && byDiscord.id === byEmail?.id, "both identities lead to one contact");
  });
  const linked = await report.seen("discord.linked is stored, and delivered to the receiver", async () => {
    const event = await untilStored(stage, "discord.linked", ({ data }) => data.discord_id === discordId);
    await untilReceived(stage, [event]);
    return event;
  });
  expectThat(linked.subjectId !== undefined, "discord.linked is on the contact's timeline");
  await report.seen("Discord shows Cleo with the role Verified", () =>
    until("the verified role", async () => (await discord.rolesOf(username)).includes("Verified")),
  );
}

async function memberOf({ discord }: Stage, username: string) {
  const { guilds } = await discord.state();
  return guilds.flatMap(({ members }) => members).find((member) => member.username === username);
}

async function contactWith({ api }: Stage, [kind, value]: [string, string]): Promise<Contact | undefined> {
  const { contacts } = await api.get<{ contacts: Contact[] }>(
    `/v1/contacts?kind=${kind}&value=${encodeURIComponent(value)}`,
  );
  return contacts[0];
}

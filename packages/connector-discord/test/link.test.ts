import { afterEach, describe, expect, it } from "vitest";
import type { ConfirmRequest, ConfirmResult } from "../src/index.js";
import { GUILD_ID, slash, startApp, submit, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";

let app: TestApp;
afterEach(() => app.close());

const EMAIL = "anna@example.com";

async function link(
  email: string,
  answer: () => Promise<ConfirmResult> = async () => ({ ok: true }),
  discordFails: readonly number[] = [],
) {
  const asked: ConfirmRequest[] = [];
  app = await startApp({
    requestConfirm: async (request) => {
      asked.push(request);
      return answer();
    },
  });
  const opened = await app.interact(slash("link"));
  const submitted = await app.interact(submit(opened.body.data.custom_id, { email }));
  const stored = JSON.stringify(app.sent.map((one) => one.data));
  app.discord.next.push(...discordFails.map((status) => ({ status })));
  const outcomes = await app.deliver();
  return { opened, submitted, stored, outcomes, asked, shown: app.discord.calls.at(-1)?.body };
}

describe("/link", () => {
  it("H3 asks for the address in a modal that Discord accepts", async () => {
    const { opened } = await link(EMAIL);
    expect(opened.body.type).toBe(9);
    expect(opened.body.data.components).toHaveLength(1);
    expect(await faultsByDiscord("ModalInteractionCallbackRequestSchema", opened.body)).toEqual([]);
  });

  it("H3 has the confirm mail sent and says to check the inbox, without the address anywhere", async () => {
    const { opened, submitted, asked, shown, stored, outcomes } = await link(` ${EMAIL} `);
    expect(submitted.body).toEqual({ type: 5, data: { flags: 64 } });
    expect(outcomes).toEqual([["delivered"]]);
    expect(asked).toEqual([
      {
        discordUserId: "400000000000000001",
        discordUserName: "anna",
        guildId: GUILD_ID,
        tenantId: "default",
        email: EMAIL,
        interactionId: expect.stringMatching(/^\d+$/),
      },
    ]);
    expect(shown.content).toContain("Check your inbox");
    for (const text of [JSON.stringify(opened.body), JSON.stringify(shown), stored, app.log.join()]) {
      expect(text).not.toContain(EMAIL);
    }
  });

  it("H3 answers what is no address with a plain sentence and asks for no mail", async () => {
    const { asked, shown } = await link("not an address");
    expect(asked).toEqual([]);
    expect(shown.content).toContain("not a valid email address");
  });

  it.each(["a@b", "anna@example.com,ben@example.com", "jörg@exämple.com", "o'brien@example.com"])(
    "H3 leaves the verdict on %j to requestConfirm",
    async (email) => {
      const { asked, shown } = await link(email);
      expect(asked).toMatchObject([{ email }]);
      expect(shown.content).toContain("Check your inbox");
    },
  );

  it("H3 takes an address that requestConfirm refuses, or throws at, for a wrong one and not for an outage", async () => {
    const { shown } = await link("a@b", async () => ({ ok: false, reason: "invalid_email" }));
    expect(shown.content).toContain("not a valid email address");
    await app.close();
    const thrown = await link("a@b", async () => {
      throw Object.assign(new Error("This is not an email address."), { code: "invalid_email" });
    });
    expect(thrown.outcomes).toEqual([["delivered"]]);
    expect(thrown.shown.content).toContain("not a valid email address");
    expect(app.log.join()).not.toContain("error ");
  });

  it("H3 refuses an over-long address before anything is stored", async () => {
    const { asked, submitted, shown } = await link(`${"a".repeat(300)}@example.com`);
    expect(submitted.body).toMatchObject({ type: 4, data: { flags: 64, content: expect.stringContaining("254") } });
    expect(asked).toEqual([]);
    expect(shown).toBeUndefined();
  });

  it.each([
    ["rate_limited", "too often"],
    ["unavailable", "can't be sent at the moment"],
  ] as const)("H4 says plainly that it was %s", async (reason, sentence) => {
    const { shown, outcomes } = await link(EMAIL, async () => ({ ok: false, reason }));
    expect(shown.content).toContain(sentence);
    expect(outcomes).toEqual([["delivered"]]);
  });

  it("H3 H4 mails once when Discord fails after the mail went out, and shows the answer once it can", async () => {
    const { asked, outcomes, shown } = await link(EMAIL, undefined, [503, 503]);
    expect(outcomes).toEqual([["retry", "retry", "delivered"]]);
    expect(asked).toHaveLength(1);
    expect(shown.content).toContain("Check your inbox");
  });

  it("H3 a request made again after a crash carries the same interaction", async () => {
    const asked: ConfirmRequest[] = [];
    const requestConfirm = async (request: ConfirmRequest) => {
      asked.push(request);
      return { ok: true } as const;
    };
    app = await startApp({ requestConfirm });
    const opened = await app.interact(slash("link"));
    await app.interact(submit(opened.body.data.custom_id, { email: EMAIL }));
    const left = [...app.sent];
    app.discord.next.push({ status: 503 });
    expect(await app.deliver({ maxAttempts: 1 })).toEqual([["retry"]]);
    await app.close();
    app = await startApp({ requestConfirm });
    app.sent.push(...left);
    expect(await app.deliver()).toEqual([["delivered"]]);
    expect(asked).toHaveLength(2);
    expect(new Set(asked.map((one) => one.interactionId)).size).toBe(1);
  });

  it("H3 H4 fails closed when the mailer throws: no second try, no word of success, no address in the log", async () => {
    const { asked, shown, outcomes } = await link(EMAIL, async () => {
      throw new Error(`550 no mailbox ${EMAIL}`);
    });
    expect(asked).toHaveLength(1);
    expect(outcomes).toEqual([["delivered"]]);
    expect(shown.content).toContain("can't be sent at the moment");
    expect(app.log.join()).toContain("550 no mailbox");
    expect(app.log.join()).not.toContain(EMAIL);
  });
});

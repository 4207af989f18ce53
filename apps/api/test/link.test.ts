import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiProcess, createSetting, type Setting, spawnApi, untilReady } from "./running-api.js";

describe("/link through a simulated Discord", () => {
  let setting: Setting;
  let api: ApiProcess;

  beforeAll(async () => {
    setting = await createSetting();
    const { publicKeyHex } = setting.simulator.application;
    api = spawnApi({ ...setting.environment, DISCORD_PUBLIC_KEY: publicKeyHex });
    await untilReady(api);
    for (let tries = 0; tries < 200; tries += 1) {
      if ((await setting.simulator.state()).commands.some(({ name }) => name === "link")) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await setting.simulator.setInteractionsUrl(`${api.url}/v1/connectors/discord/interactions`);
  }, 120_000);
  afterAll(async () => {
    api.child.kill("SIGTERM");
    await api.exited;
    await setting.close();
  });

  const read = async (path: string) => {
    const headers = { authorization: `Bearer ${setting.environment.API_KEY}` };
    return (await (await fetch(api.url + path, { headers })).json()) as {
      mails: { to: string; text: string }[];
      contacts: { id: string }[];
      events: { type: string }[];
    };
  };
  async function answerTo(member: string, email: string) {
    const modal = await setting.simulator.member(member).slash("link", {}, { channel: "general" });
    return (await modal.submitModal({ email })).reply();
  }

  it("H3 H4 refuses an address without an @ privately, says so, and mails nobody", async () => {
    const email = "dora.example.com";
    const answer = await answerTo("anna", email);
    expect(answer.ephemeral).toBe(true);
    expect(answer.content).toMatch(/address/i);
    expect(answer.content).not.toMatch(/inbox/i);
    expect(answer.content).not.toContain(email);
    expect((await read("/v1/development/mails")).mails).toEqual([]);
  });

  it("H3 lets Discord itself refuse an address over 254 characters", async () => {
    await expect(answerTo("anna", `${"d".repeat(250)}@example.com`)).rejects.toThrow(/254 characters/);
    expect((await read("/v1/development/mails")).mails).toEqual([]);
  });

  it("H3 H4 binds once: the second use of a link answers 410 and changes nothing", async () => {
    const answer = await answerTo("ben", "ben@example.com");
    expect(answer.content).toMatch(/inbox/i);
    const { mails } = await read("/v1/development/mails?to=ben@example.com");
    const url = /https?:\/\/\S+/.exec(mails[0]?.text ?? "")?.[0] ?? "";
    const token = new URL(url).searchParams.get("token") ?? "";
    const confirm = () => fetch(`${api.url}/connect/discord`, { method: "POST", body: new URLSearchParams({ token }) });

    expect((await confirm()).status).toBe(200);
    const { contacts } = await read("/v1/contacts?kind=email&value=ben@example.com");
    expect(contacts).toHaveLength(1);
    expect((await confirm()).status).toBe(410);
    expect((await fetch(url)).status).toBe(410);
    expect((await read("/v1/events?type=discord.linked")).events).toHaveLength(1);
    expect(api.output()).not.toContain(token);
    expect(api.output()).not.toContain("ben@example.com");
  });
});

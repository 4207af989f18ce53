import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ApiProcess,
  createSetting,
  type Setting,
  spawnLinkingApi,
  untilReady,
  untilRegistered,
} from "./running-api.js";

const POLL = { timeout: 20_000 };

describe("/link through a simulated Discord", () => {
  let setting: Setting;
  let api: ApiProcess;

  beforeAll(async () => {
    setting = await createSetting();
    api = await spawnLinkingApi(setting);
    await untilReady(api);
    await untilRegistered(setting.simulator, "link");
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

  it("N8 /unlink asks, then takes account and role away and publishes discord.unlinked, once however often it is asked", async () => {
    const carla = await setting.simulator.addMember({ username: "carla" });
    await answerTo("carla", "carla@example.com");
    const { mails } = await read("/v1/development/mails?to=carla@example.com");
    const token = new URL(/https?:\/\/\S+/.exec(mails[0]?.text ?? "")?.[0] ?? "").searchParams.get("token") ?? "";
    await fetch(`${api.url}/connect/discord`, { method: "POST", body: new URLSearchParams({ token }) });
    await expect.poll(() => setting.simulator.rolesOf("carla"), POLL).toContain("Verified");

    for (let time = 1; time <= 2; time += 1) {
      const question = await carla.slash("unlink", {}, { channel: "general" });
      const { ephemeral } = await question.reply();
      expect(ephemeral).toBe(true);
      await question.click("Disconnect");
      const changed = async () => (await question.reply()).content;
      await expect.poll(changed, POLL).toContain("not connected to an email address any more");
    }
    await expect.poll(() => setting.simulator.rolesOf("carla"), POLL).not.toContain("Verified");
    expect((await read("/v1/events?type=discord.unlinked")).events).toHaveLength(1);
    const { contacts } = await read("/v1/contacts?kind=email&value=carla@example.com");
    expect(contacts).toMatchObject([{ identities: [{ kind: "email" }] }]);
  });
});

import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiProcess, createSetting, type Setting, spawnLinkingApi, untilReady } from "./running-api.js";

const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && existsSync(path),
);
if (!executablePath && process.env.CI === "true") throw new Error("CI needs a browser: set CHROMIUM_PATH.");

describe.skipIf(!executablePath)("OAuth in a browser, against a simulated Discord (needs Chromium)", () => {
  let setting: Setting;
  let api: ApiProcess;
  let browser: Browser;

  beforeAll(async () => {
    setting = await createSetting();
    const { simulator } = setting;
    api = await spawnLinkingApi(setting);
    await simulator.setRedirectUris([`${api.url}/v1/connectors/discord/oauth/callback`]);
    await untilReady(api);
    await simulator.setWebhookEventsUrl(`${api.url}/v1/connectors/discord/webhook-events`);
    browser = await chromium.launch({
      executablePath: executablePath as string,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
    });
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    api?.child.kill("SIGTERM");
    await api?.exited;
    await setting?.close();
  });

  const headers = () => ({
    authorization: `Bearer ${setting.environment.API_KEY}`,
    "content-type": "application/json",
  });
  const read = async (path: string) =>
    (await (await fetch(api.url + path, { headers: headers() })).json()) as {
      guilds: { id: string }[];
      events: { type: string; data: Record<string, unknown> }[];
      contacts: { identities: { kind: string }[] }[];
      mails: { text: string }[];
    };
  async function visit(path: string, body: object, story: (page: Page) => Promise<void>): Promise<void> {
    const made = await fetch(api.url + path, { method: "POST", headers: headers(), body: JSON.stringify(body) });
    const { url } = (await made.json()) as { url: string };
    await open(url, story);
  }
  async function open(url: string, story: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext();
    context.setDefaultTimeout(30_000);
    try {
      const page = await context.newPage();
      await page.goto(url);
      await story(page);
    } finally {
      await context.close();
    }
  }
  const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
  async function shoot(page: Page, name: string): Promise<void> {
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
  }

  it("H11 installs the bot in a server that the operator chooses", { timeout: 120_000 }, async () => {
    const second = await setting.simulator.addGuild({ name: "Second" });
    await visit("/v1/discord/installations", {}, async (page) => {
      await shoot(page, "install-start");
      await press(page, "Continue to Discord");
      await page.getByLabel("You are").selectOption("owner");
      await page.getByLabel("Add to").selectOption(second.id);
      await press(page, "Authorize");
      await page.getByRole("heading", { name: "Installed" }).waitFor();
      await shoot(page, "install-done");
    });
    expect((await read("/v1/discord/guilds")).guilds.map(({ id }) => id)).toContain(second.id);
  });

  it("H11 tells who presses Cancel what to do, and lets them try again", { timeout: 120_000 }, async () => {
    await visit("/v1/discord/member-links", { email: "ben@work.example" }, async (page) => {
      await press(page, "Continue to Discord");
      await press(page, "Cancel");
      await page.getByRole("heading", { name: "Not connected" }).waitFor();
      await shoot(page, "cancelled");
      await page.getByRole("link", { name: "Try again" }).click();
      await page.getByText("ben@work.example").waitFor();
    });
  });

  it("H11 N8 H3 leads who comes from Linked Roles without a link to a mail, and tells Discord once it is confirmed", {
    timeout: 180_000,
  }, async () => {
    const shown = async () =>
      (await setting.simulator.state()).authorizations.find(({ username }) => username === "mod")?.roleConnection;
    const proveDiscord = async (page: Page) => {
      await press(page, "Continue to Discord");
      await page.getByLabel("You are").selectOption("mod");
      await press(page, "Authorize");
    };
    await open(`${api.url}/v1/connectors/discord/oauth/linked-role`, async (page) => {
      await shoot(page, "linked-role-start");
      await proveDiscord(page);
      await page.getByRole("heading", { name: "Whose account is this?" }).waitFor();
      await shoot(page, "linked-role-address");
      await page.getByLabel("Your email address").fill("mod@work.example");
      await press(page, "Mail me the link");
      await page.getByRole("heading", { name: "Check your inbox" }).waitFor();
      await shoot(page, "linked-role-sent");
      await until(async () => (await read("/v1/development/mails?to=mod@work.example")).mails.length > 0);
      const { mails } = await read("/v1/development/mails?to=mod@work.example");
      expect(mails).toHaveLength(1);
      await page.goto(/https?:\/\/\S+/.exec(mails[0]?.text ?? "")?.[0] ?? "");
      await page.locator("button[type=submit], button").first().click();
    });
    await until(async () => (await shown())?.metadata.verified === "1");
    // Once more, as who is linked now.
    await open(`${api.url}/v1/connectors/discord/oauth/linked-role`, async (page) => {
      await proveDiscord(page);
      await page.getByText("Discord is told what it may know of mod").waitFor();
      await shoot(page, "linked-role-done");
    });
  });

  it("H11 N8 connects a member, tells Discord of it, and unlinks who removes the application", {
    timeout: 180_000,
  }, async () => {
    const { simulator } = setting;
    await visit("/v1/discord/member-links", { email: "anna@work.example" }, async (page) => {
      await page.getByText("anna@work.example").waitFor();
      await shoot(page, "link-start");
      await press(page, "Continue to Discord");
      await page.getByLabel("You are").selectOption("anna");
      await press(page, "Authorize");
      await page.getByRole("heading", { name: "Connected" }).waitFor();
      await shoot(page, "link-done");
    });
    expect((await read("/v1/contacts?kind=email&value=anna@work.example")).contacts[0]?.identities).toHaveLength(2);
    await until(async () => (await simulator.rolesOf("anna")).includes("Verified"));
    const shown = async () => (await simulator.state()).authorizations.find(({ username }) => username === "anna");
    await until(async () => (await shown())?.roleConnection?.metadata.verified === "1");
    await until(async () => (await read("/v1/events?type=discord.application_authorized")).events.length === 4);

    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${simulator.url}/?as=anna`);
    await press(page, "Remove Hookline from my authorized apps");
    await until(async () => (await read("/v1/events?type=discord.unlinked")).events.length === 1);
    await shoot(page, "chat-page");
    await context.close();
    const { events } = await read("/v1/events?type=discord.unlinked");
    expect(events[0]?.data).toMatchObject({ reason: "deauthorized" });
    expect((await read("/v1/contacts?kind=email&value=anna@work.example")).contacts[0]?.identities).toHaveLength(1);
    await until(async () => !(await simulator.rolesOf("anna")).includes("Verified"));
    await simulator.sendWebhookEventsAgain();
    await until(async () => (await simulator.webhookEvents()).every(({ status }) => status === "delivered"));
    expect((await read("/v1/events?type=discord.unlinked")).events).toHaveLength(1);
    expect((await read("/v1/events?type=discord.application_authorized")).events).toHaveLength(4);
    expect(await shown()).toBeUndefined();
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`what was waited for did not come: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

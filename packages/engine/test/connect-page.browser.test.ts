import { existsSync } from "node:fs";
import { Hono } from "hono";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp, createColdConnect, postHogAnalytics } from "../src/index.js";
import { counts, describeEmbedded, fixedClock, listen, openWorld, until, type World } from "./support/world.js";

const executablePath = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));
const ask = { platformUserId: "80351110224678912", platformUserName: "nelly", email: "jo@example.com" };

if (!executablePath) {
  const reason = "no chromium at /usr/bin/chromium and CHROMIUM_PATH is not set";
  if (process.env.CI === "true") throw new Error(`CI needs a browser for these tests: ${reason}.`);
  describe.skip(`H3 the confirm page in a browser (skipped: ${reason})`, () => it("needs a browser", () => {}));
} else {
  suite(executablePath);
}

function suite(path: string): void {
  describeEmbedded("H3 the confirm page in a browser", (databases) => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: path,
        args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
      });
    });
    afterAll(() => browser?.close());

    /** Runs with a fresh profile whose pages report each policy violation and each request. */
    async function visit(
      world: World,
      story: (visitor: { context: BrowserContext; link: (token: string) => string; url: string }) => Promise<void>,
    ): Promise<{ errors: string[]; requests: string[] }> {
      const url = await listen(createApp(world.engine, { routes: [world.coldConnect.routes] }));
      const context = await browser.newContext();
      context.setDefaultTimeout(10_000);
      const errors: string[] = [];
      const requests: string[] = [];
      context.on("console", (message) => {
        // The browser reports a 404 or 410 of the page itself as an error too.
        if (message.type() === "error" && !message.text().includes("the server responded with a status"))
          errors.push(message.text());
      });
      context.on("request", (request) => requests.push(`${request.method()} ${request.url()}`));
      try {
        await story({ context, url, link: (token) => world.coldConnect.confirmUrl({ apiPublicUrl: url, token }) });
      } finally {
        await context.close();
      }
      return { errors, requests };
    }

    async function mint(world: World): Promise<string> {
      const minted = await world.coldConnect.mintConfirm(ask);
      if (!minted.ok) throw new Error(minted.reason);
      return minted.token;
    }

    it("is read, confirmed by one press, and done", async () => {
      const world = await openWorld(databases, { start: true });
      const token = await mint(world);
      const { errors, requests } = await visit(world, async ({ context, link }) => {
        const page = await context.newPage();
        await page.goto(link(token));
        expect(await page.title()).toBe("Connect Discord to Acme · Acme");
        expect(await page.getByText("nelly", { exact: true }).isVisible()).toBe(true);
        const buttons = page.getByRole("button");
        expect(await buttons.allInnerTexts()).toEqual(["Confirm", "This was not me"]);
        // The style sheet passed the policy.
        expect(await page.evaluate("getComputedStyle(document.querySelector('button')).backgroundColor")).toBe(
          "rgb(88, 101, 242)",
        );
        await page.getByRole("button", { name: "Confirm" }).click();
        await page.getByRole("heading", { name: "You are connected" }).waitFor();
        expect(page.url()).not.toContain("token");
        // Reloading a confirmed page sends the form again.
        await page.reload();
        await page.getByRole("heading", { name: "Already confirmed" }).waitFor();
      });
      expect(errors).toEqual([]);
      expect(
        requests.filter((request) => !request.includes("/connect/discord") && !request.includes("favicon")),
      ).toEqual([]);
      await until(() => world.bound.length === 1);
      expect(await counts(world)).toMatchObject({ contacts: 1, identities: 2, events: 1 });
    });

    it("binds once when the button is pressed twice", async () => {
      const world = await openWorld(databases, { start: true });
      const token = await mint(world);
      await visit(world, async ({ context, link }) => {
        const page = await context.newPage();
        await page.goto(link(token));
        await page.getByRole("button", { name: "Confirm" }).dblclick();
        await page.getByRole("heading", { name: /You are connected|Already confirmed/ }).waitFor();
      });
      await until(() => world.bound.length === 1);
      expect(await counts(world)).toMatchObject({ contacts: 1, events: 1 });
    });

    it("binds once from two tabs, and the second one says that it is done", async () => {
      const world = await openWorld(databases);
      const token = await mint(world);
      await visit(world, async ({ context, link }) => {
        const [one, two] = [await context.newPage(), await context.newPage()];
        await one.goto(link(token));
        await two.goto(link(token));
        await one.getByRole("button", { name: "Confirm" }).click();
        await one.getByRole("heading", { name: "You are connected" }).waitFor();
        await two.getByRole("button", { name: "Confirm" }).click();
        await two.getByRole("heading", { name: "Already confirmed" }).waitFor();
      });
      expect(await counts(world)).toMatchObject({ contacts: 1, events: 1 });
    });

    it("still works after a mail program has fetched the link beforehand", async () => {
      const world = await openWorld(databases);
      const token = await mint(world);
      await visit(world, async ({ context, link }) => {
        for (const method of ["GET", "HEAD", "GET"]) {
          const fetched = await fetch(link(token), { method, headers: { "sec-purpose": "prefetch" } });
          expect(fetched.status).toBe(200);
          await fetched.text();
        }
        expect(await counts(world)).toMatchObject({ contacts: 0, events: 0 });
        const page = await context.newPage();
        await page.goto(link(token));
        await page.getByRole("button", { name: "Confirm" }).click();
        await page.getByRole("heading", { name: "You are connected" }).waitFor();
      });
    });

    it("explains an expired link, a wrong one and one of another connector", async () => {
      const clock = fixedClock();
      const world = await openWorld(databases, { clock });
      const other = createColdConnect({ ...world.coldConnectOptions, connectorId: "guilded" });
      const foreign = await other.mintConfirm({ ...ask, platformUserId: "2", email: "al@example.com" });
      const token = await mint(world);
      await visit(world, async ({ context, link, url }) => {
        const page = await context.newPage();
        const open = async (address: string) => (await page.goto(address))?.status();
        expect(await open(link(foreign.ok ? foreign.token : ""))).toBe(404);
        await page.getByRole("heading", { name: "This link is not valid" }).waitFor();
        expect(await open(`${url}/connect/discord`)).toBe(404);

        expect(await open(link(token))).toBe(200);
        clock.advance(901_000);
        await page.getByRole("button", { name: "Confirm" }).click();
        await page.getByRole("heading", { name: "This link has expired" }).waitFor();
        expect(await open(link(token))).toBe(410);
        expect(await page.getByText("You can ask for a new link in Discord.").isVisible()).toBe(true);
      });
      expect(await counts(world)).toMatchObject({ contacts: 0, events: 0 });
    });

    it("H4 'This was not me' ends the link, also in the other tab, and connects nobody", async () => {
      const world = await openWorld(databases);
      const token = await mint(world);
      const { errors } = await visit(world, async ({ context, link }) => {
        const [one, two] = [await context.newPage(), await context.newPage()];
        await one.goto(link(token));
        await two.goto(link(token));
        await one.getByRole("button", { name: "This was not me" }).click();
        await one.getByRole("heading", { name: "Thank you, nothing was connected" }).waitFor();
        await two.getByRole("button", { name: "Confirm" }).click();
        await two.getByRole("heading", { name: "This link was ended" }).waitFor();
      });
      expect(errors).toEqual([]);
      expect(await counts(world)).toMatchObject({ contacts: 0, events: 0 });
      expect(await world.coldConnect.mintConfirm(ask)).toEqual({ ok: false, reason: "rate_limited" });
    });

    it("tells PostHog once who was connected, from a script of our own, and nobody before", async () => {
      const events: { url: string; body: string; referer: string | undefined }[] = [];
      const analyticsUrl = await listen(
        new Hono().post("/*", async (c) => {
          events.push({ url: c.req.path, body: await c.req.text(), referer: c.req.header("referer") });
          return c.text("1");
        }),
      );
      const analytics = postHogAnalytics({ projectKey: "phc_abc", host: analyticsUrl });
      const world = await openWorld(databases, { analytics });
      const token = await mint(world);
      const { errors, requests } = await visit(world, async ({ context, link, url }) => {
        const page = await context.newPage();
        await context.addCookies([
          { name: "ph_phc_abc_posthog", value: encodeURIComponent('{"distinct_id":"anonymous-1"}'), url },
        ]);
        await page.goto(link(token));
        expect(await page.locator("script").count()).toBe(0);
        await page.getByRole("button", { name: "Confirm" }).click();
        await page.getByRole("heading", { name: "You are connected" }).waitFor();
        await until(() => events.length === 1);
        await page.reload();
        await page.getByRole("heading", { name: "Already confirmed" }).waitFor();
        expect(await page.locator("script").count()).toBe(0);
      });
      expect(errors).toEqual([]);
      const contact = await world.engine.contacts.findByIdentity({
        tenantId: "default",
        kind: "email",
        value: ask.email,
      });
      const [event] = events;
      expect(events).toHaveLength(1);
      expect(event).toMatchObject({ url: "/i/v0/e/", referer: undefined });
      expect(JSON.parse(event?.body ?? "")).toEqual({
        api_key: "phc_abc",
        event: "$identify",
        distinct_id: contact?.id,
        timestamp: expect.any(String),
        properties: { $set: { discord_id: ask.platformUserId }, $anon_distinct_id: "anonymous-1" },
      });
      expect(requests.filter((request) => request.includes("jo@example.com"))).toEqual([]);
    });

    it("lets no script of another's run, with analytics or without", async () => {
      const analytics = postHogAnalytics({ projectKey: "phc_abc", host: "http://127.0.0.1:9" });
      const world = await openWorld(databases, { analytics });
      const token = await mint(world);
      const { errors } = await visit(world, async ({ context, link }) => {
        const page = await context.newPage();
        await page.goto(link(token));
        await page.getByRole("button", { name: "Confirm" }).click();
        await page.getByRole("heading", { name: "You are connected" }).waitFor();
        await page.evaluate(
          "document.body.append(Object.assign(document.createElement('script'), { text: 'window.ran = true' }))",
        );
        await page.evaluate("fetch('http://127.0.0.1:8/').catch(() => {})");
        expect(await page.evaluate("window.ran")).toBeUndefined();
      });
      expect(errors.join("\n")).toMatch(/script-src/);
      expect(errors.join("\n")).toMatch(/connect-src/);
    });
  });
}

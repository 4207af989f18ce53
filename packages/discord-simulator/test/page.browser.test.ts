import { existsSync } from "node:fs";
import { REST } from "@discordjs/rest";
import { Routes } from "discord-api-types/v10";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDiscordSimulator, type DiscordSimulator } from "../src/index.js";
import { type InteractionsApp, type Payload, startInteractionsApp } from "./interactions-app.js";

const executablePath = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));

if (!executablePath) {
  const reason = "no chromium at /usr/bin/chromium and CHROMIUM_PATH is not set";
  if (process.env.CI === "true") throw new Error(`CI needs a browser for these tests: ${reason}.`);
  describe.skip(`N6 the chat page in a browser (skipped: ${reason})`, () => it("needs a browser", () => {}));
} else {
  suite(executablePath);
}

const options = (...labels: string[]) => labels.map((label) => ({ label, value: label.toLowerCase() }));
const label = (text: string, component: object) => ({ type: 18, label: text, component });
const FORM = {
  custom_id: "form",
  title: "Everything",
  components: [
    label("Kind", { type: 21, custom_id: "kind", options: options("Bug", "Wish") }),
    label("Tags", {
      type: 22,
      custom_id: "tags",
      required: false,
      min_values: 0,
      options: options("Printer", "Network"),
    }),
    label("Urgent", { type: 23, custom_id: "urgent" }),
    label("Who", { type: 5, custom_id: "who", max_values: 2 }),
    label("Files", { type: 19, custom_id: "files" }),
  ],
};
const SHORT = {
  custom_id: "short",
  title: "Two fields",
  components: [
    label("Title", { type: 4, custom_id: "title", style: 1, min_length: 5 }),
    label("Tags", { type: 22, custom_id: "tags", min_values: 2, options: options("Printer", "Network", "Door") }),
  ],
};
const row = (component: object) => ({ type: 1, components: [component] });
const MENUS = [
  row({ type: 3, custom_id: "priority", placeholder: "Set the priority", options: options("Low", "High") }),
  row({ type: 5, custom_id: "assign", placeholder: "Assign to", max_values: 3 }),
];
const EVENTS = ["ticket.created", "ticket.closed", "machine.registered"];

interface TypedOption {
  readonly name: string;
  readonly value: string;
}

function answer({ type, data }: Payload): unknown {
  if (type === 4) {
    const typed = (data.options as TypedOption[])[0]?.value ?? "";
    const choices = EVENTS.filter((name) => name.startsWith(typed)).map((name) => ({ name, value: name }));
    return { type: 8, data: { choices } };
  }
  if (data.name === "short") return { type: 9, data: SHORT };
  if (data.name === "form") return { type: 9, data: FORM };
  if (data.name === "menus") return { type: 4, data: { content: "Choose", components: MENUS } };
  return { type: 4, data: { content: `took ${data.name ?? data.custom_id}`, flags: 64 } };
}

function suite(path: string): void {
  describe("N6 the chat page in a browser", () => {
    let simulator: DiscordSimulator;
    let app: InteractionsApp;
    let browser: Browser;
    let page: Page;
    const errors: string[] = [];

    beforeAll(async () => {
      simulator = createDiscordSimulator();
      const { url } = await simulator.start();
      app = await startInteractionsApp({ simulator, answer });
      await simulator.setInteractionsUrl(app.url);
      const rest = new REST({ api: `${url}/api` }).setToken(simulator.application.botToken);
      const events = { type: 3, name: "events", description: "Which", autocomplete: true };
      await rest.put(Routes.applicationCommands(simulator.application.id), {
        body: [
          { name: "form", description: "Opens a form" },
          { name: "short", description: "Opens a form" },
          { name: "menus", description: "Shows menus" },
          { name: "register", description: "Registers", options: [events] },
          { name: "Show tickets", type: 2 },
          { name: "Open a ticket", type: 3 },
        ],
      });
      browser = await chromium.launch({
        executablePath: path,
        args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
      });
      page = await browser.newPage();
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(`${url}/?as=anna`);
    }, 120_000);
    afterAll(async () => {
      await browser?.close();
      await app?.close();
      await simulator?.close();
    });

    const last = () => app.received.at(-1)?.data as Record<string, unknown>;
    const took = (what: string) => page.getByText(`took ${what}`).waitFor();
    async function send(text: string): Promise<void> {
      await page.fill("#text", text);
      await page.press("#text", "Enter");
    }

    it("shows markup as Discord does, and escaped signs as they are", { timeout: 60_000 }, async () => {
      await send(String.raw`**bold** _slanted_ snake_case_name A\_B \*plain\* ${"\\`ticks\\`"} \\ end`);
      const text = page.locator("article .text", { hasText: "snake_case_name" });
      await text.waitFor();
      expect(await text.innerHTML()).toBe(
        String.raw`<strong>bold</strong> <em>slanted</em> snake_case_name A_B *plain* ${"`ticks`"} \ end`,
      );
    });

    it("shows headings, quotes, lists, spoilers and links that end with a sentence", { timeout: 60_000 }, async () => {
      const text = "# Head\n> said\n- one\nthen ||hidden|| (see https://example.com/a).";
      await simulator.member("ben").say("general", text);
      const shown = page.locator("article .text", { hasText: "hidden" });
      await shown.waitFor();
      expect(await shown.locator(".heading").textContent()).toBe("Head");
      expect(await shown.locator("blockquote").textContent()).toBe("said");
      expect(await shown.locator(".item").textContent()).toBe("one");
      expect(await shown.locator(".spoiler").textContent()).toBe("hidden");
      expect(await shown.locator("a").getAttribute("href")).toBe("https://example.com/a");
      await simulator.member("ben").say("general", String.raw`\# no head${"\n"}\> no quote${"\n"}\- no item`);
      const escaped = page.locator("article .text", { hasText: "no head" });
      expect(await escaped.innerHTML()).toBe("# no head\n&gt; no quote\n- no item");
    });

    it("gives back what was refused, and takes the reason away with the next try", { timeout: 60_000 }, async () => {
      await send("/nothing at all");
      const problem = page.locator("#toast");
      await problem.waitFor();
      expect(await problem.textContent()).toContain("/nothing");
      expect(await page.inputValue("#text")).toBe("/nothing at all");
      await send("now it works");
      await page.getByText("now it works").waitFor();
      expect(await problem.isHidden()).toBe(true);
      expect(await page.inputValue("#text")).toBe("");
      errors.length = 0;
    });

    it("keeps a form open with all that was typed when its fields are refused", { timeout: 60_000 }, async () => {
      await send("/short");
      await page.getByLabel("Title").fill("Long enough");
      await page.getByLabel("Network").check();
      await page.getByRole("button", { name: "Submit" }).click();
      await page.locator("dialog .problem").waitFor();
      expect(await page.locator("dialog .problem").textContent()).toMatch(/Tags.*2/);
      expect(await page.getByLabel("Title").inputValue()).toBe("Long enough");
      expect(await page.getByLabel("Title").getAttribute("minlength")).toBe("5");
      await page.getByLabel("Door").check();
      await page.getByRole("button", { name: "Submit" }).click();
      await took("short");
      expect(await page.locator("dialog").isHidden()).toBe(true);
      errors.length = 0;
    });

    it("shows threads below their channel, and a channel that is opened at its newest message", {
      timeout: 60_000,
    }, async () => {
      const ben = simulator.member("ben");
      for (let count = 1; count <= 40; count += 1) await ben.say("ops", `line ${count}`);
      await ben.startThread("general", "About this");
      await page.locator("#channels button", { hasText: "About this" }).waitFor();
      const names = await page.locator("#channels button").allTextContents();
      expect(names.slice(0, 3)).toEqual(["# general", "↳ About this", "# support"]);
      await page.locator("#messages").evaluate((list) => {
        list.scrollTop = 0;
      });
      await page.locator("#channels button", { hasText: "ops" }).click();
      await page.getByText("line 40").waitFor();
      const below = await page.locator("#messages").evaluate((list) => {
        return list.scrollHeight - list.scrollTop - list.clientHeight;
      });
      expect(below).toBeLessThan(5);
      await page.locator("#channels button", { hasText: "general" }).click();
    });

    it("chooses one and several in the menus of a message", { timeout: 60_000 }, async () => {
      await send("/menus");
      await page.getByLabel("Set the priority").selectOption("high");
      await took("priority");
      expect(last()).toMatchObject({ custom_id: "priority", values: ["high"] });
      await page.getByText("Assign to").click();
      for (const name of ["Ben", "Olga"]) await page.locator(".several label", { hasText: name }).click();
      await page.locator(".several button").click();
      await took("assign");
      expect(last().values).toHaveLength(2);
    });

    it("keeps what is open and ticked while somebody else writes", { timeout: 60_000 }, async () => {
      const menu = page.locator(".several");
      await menu.evaluate((details) => details.setAttribute("open", ""));
      await menu.locator("label", { hasText: "Anna" }).locator("input").check();
      await simulator.member("ben").say("general", "somebody else writes");
      await page.getByText("somebody else writes").waitFor();
      expect(await menu.getAttribute("open")).toBe("");
      expect(await menu.locator("label", { hasText: "Anna" }).locator("input").isChecked()).toBe(true);
    });

    it("uses the application's commands of messages and members", { timeout: 60_000 }, async () => {
      await page.locator("article .apps summary").first().click();
      await page.locator("article .apps[open] .apps-list button").click();
      await took("Open a ticket");
      expect(last()).toMatchObject({ type: 3, target_id: expect.stringMatching(/^\d+$/) });
      await page.locator("#members .member", { hasText: "Ben" }).locator("summary").click();
      await page.locator("#members .apps[open] .apps-list button").click();
      await took("Show tickets");
      const { target_id: target, resolved } = last() as {
        target_id: string;
        resolved: { users: Record<string, object> };
      };
      expect(resolved.users[target]).toMatchObject({ username: "ben" });
    });

    it("offers what the application offers while an option is typed", { timeout: 60_000 }, async () => {
      await page.locator("#text").pressSequentially("/register events:ti");
      const offered = page.locator("#suggestions button");
      await offered.filter({ hasText: "ticket.closed" }).waitFor();
      expect(await offered.allTextContents()).toEqual(["ticket.created", "ticket.closed"]);
      await offered.filter({ hasText: "ticket.closed" }).click();
      await page.press("#text", "Enter");
      await took("register");
      expect(last().options).toMatchObject([{ name: "events", value: "ticket.closed" }]);
    });

    it("fills in every kind of field of a modal, files among them", { timeout: 60_000 }, async () => {
      await send("/form");
      for (const name of ["Bug", "Network", "Urgent"]) await page.getByLabel(name).check();
      await page.getByLabel("Who").selectOption({ label: "Ben" });
      const file = { name: "log.txt", mimeType: "text/plain", buffer: Buffer.from("all is well") };
      await page.getByLabel("Files").setInputFiles(file);
      await page.getByRole("button", { name: "Submit" }).click();
      await took("form");
      const { components, resolved } = last() as {
        components: { component: { value?: unknown; values?: unknown[] } }[];
        resolved: { attachments: Record<string, { filename: string; size: number }> };
      };
      const values = components.map(({ component }) => component.value ?? component.values);
      expect(values.slice(0, 3)).toEqual(["bug", ["network"], true]);
      expect(Object.values(resolved.attachments)).toMatchObject([{ filename: "log.txt", size: 11 }]);
      expect(errors).toEqual([]);
    });

    it("says when the simulator does not answer any more", { timeout: 60_000 }, async () => {
      const other = createDiscordSimulator();
      const { url } = await other.start();
      const left = await browser.newPage();
      await left.goto(`${url}/?as=anna`);
      await left.getByText("0 gateway connections").waitFor();
      await other.close();
      await left.getByText("The simulator does not answer").waitFor();
      await left.fill("#text", "Hello?");
      await left.press("#text", "Enter");
      await left.locator("#toast").waitFor();
      expect(await left.inputValue("#text")).toBe("Hello?");
      await left.close();
    });
  });
}

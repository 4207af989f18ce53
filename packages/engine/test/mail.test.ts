import { expect, it } from "vitest";
import { createConfirmMail, createLocalMailer } from "../src/index.js";
import { describeMatrix, fixedClock, openWorld } from "./support/world.js";

const confirm = {
  to: "jo@example.com",
  url: "https://api.example.com/connect/discord?token=abc",
  productName: "Acme",
  platformName: "Discord",
  platformUserName: 'nelly <img src=x onerror="1">\r\nBcc: all@example.com',
};

it("H3 the confirm mail names the account that asks, in text and HTML, and holds the link", async () => {
  const mail = await createConfirmMail(confirm);
  expect(mail.to).toBe("jo@example.com");
  expect(mail.subject).toBe("Connect your Discord account to Acme");
  for (const part of [mail.text, mail.html ?? ""]) {
    expect(part).toContain("nelly");
    expect(part).toContain(confirm.url);
    expect(part).toContain("15 minutes");
    expect(part).not.toMatch(/\nBcc:/);
  }
  expect(mail.html).not.toContain("<img");
  expect(mail.html).not.toContain("<script");
});

describeMatrix("the local mailer", (databases) => {
  it("keeps mails where a developer finds them, newest first", async () => {
    const { database, schema } = await openWorld(databases);
    const clock = fixedClock();
    const mailer = createLocalMailer({ database, schema, clock });
    const mail = { to: "jo@example.com", subject: "Second", text: "two", html: "<p>two</p>" };
    await mailer.send({ to: "al@example.com", subject: "First", text: "one" });
    clock.advance(1);
    await mailer.send(mail);
    const [newest, older] = await mailer.list();
    expect(newest).toMatchObject(mail);
    expect(older).toEqual({
      id: expect.any(String),
      to: "al@example.com",
      subject: "First",
      text: "one",
      sentAt: expect.any(String),
    });
    expect(await mailer.list({ to: "al@example.com" })).toEqual([older]);
    expect(await mailer.list({ limit: 1 })).toEqual([newest]);
  });

  it("tells tenants apart, and shows all where none is asked for", async () => {
    const { database, schema } = await openWorld(databases);
    const mailer = createLocalMailer({ database, schema });
    const mail = { to: "jo@example.com", subject: "Hello", text: "one" };
    for (const tenantId of ["acme", "globex"]) await mailer.send({ ...mail, tenantId });
    await mailer.send(mail);
    expect(await mailer.list({ tenantId: "acme" })).toMatchObject([{ ...mail, tenantId: "acme" }]);
    expect(await mailer.list({ to: mail.to })).toHaveLength(3);
  });

  it("keeps the newest 200", async () => {
    const { database, schema } = await openWorld(databases);
    const mailer = createLocalMailer({ database, schema });
    for (let index = 0; index < 203; index++) await mailer.send({ to: "a@b.cd", subject: String(index), text: "" });
    expect(await mailer.list({ limit: 500 })).toHaveLength(200);
  });
});

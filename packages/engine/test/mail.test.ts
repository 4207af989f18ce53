import { expect, it } from "vitest";
import { createConfirmMail } from "../src/index.js";

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

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createConfirmMail, createSmtpMailer, type SmtpMailerOptions } from "../src/index.js";
import { createCertificate, startMailServer } from "./support/mail-server.js";

const from = "Acme <hooks@example.com>";
const mail = {
  to: "jo@example.com",
  subject: "Grüße",
  text: "One line.\n.\nAnd a dot.",
  html: "<p>One <b>line</b>.</p>",
};
const certificate = createCertificate();

function open(options: Partial<SmtpMailerOptions> & { url: string }) {
  const mailer = createSmtpMailer({ from, ...options });
  onTestFinished(() => mailer.close());
  return mailer;
}

describe("the SMTP mailer", () => {
  it("H3 sends the confirm mail as text and HTML over an encrypted connection, with its credentials", async () => {
    const server = await startMailServer({
      ...certificate,
      authOptional: false,
      onAuth: ({ username, password }, _session, callback) =>
        username === "acme" && password === "p@ss/word"
          ? callback(null, { user: username })
          : callback(new Error("wrong")),
    });
    const mailer = open({
      url: `smtp://acme:${encodeURIComponent("p@ss/word")}@localhost:${server.port}`,
      certificateAuthorities: certificate.cert,
    });
    await mailer.send(
      await createConfirmMail({
        to: "jo@example.com",
        url: "https://api.example.com/connect/discord?token=abc",
        productName: "Acme",
        platformName: "Discord",
        platformUserName: "nelly",
      }),
    );
    const [received] = server.mails;
    expect(received).toMatchObject({
      from: "hooks@example.com",
      to: ["jo@example.com"],
      user: "acme",
      encrypted: true,
    });
    expect(received?.source).toMatch(/^From: Acme <hooks@example\.com>\r?$/m);
    expect(received?.source).toMatch(/^Content-Type: multipart\/alternative/m);
    expect(received?.source).toMatch(/^Content-Type: text\/plain/m);
    expect(received?.source).toMatch(/^Content-Type: text\/html/m);
    expect(received?.source).toContain("nelly");
  });

  it("speaks TLS from the first byte where the URL says smtps", async () => {
    const server = await startMailServer({ ...certificate, secure: true });
    const mailer = open({ url: `smtps://localhost:${server.port}`, certificateAuthorities: certificate.cert });
    await mailer.send(mail);
    await mailer.send({ to: "al@example.com", subject: "Two", text: "Two." });
    expect(server.mails.map(({ to, encrypted }) => [to, encrypted])).toEqual([
      [["jo@example.com"], true],
      [["al@example.com"], true],
    ]);
    expect(server.mails[1]?.source).not.toMatch(/text\/html/);
  });

  it("sends nothing over a connection that can't be encrypted, unless it may", async () => {
    const server = await startMailServer({ disabledCommands: ["STARTTLS", "AUTH"] });
    const url = `smtp://localhost:${server.port}`;
    await expect(open({ url }).send(mail)).rejects.toMatchObject({ name: "EngineError", code: "mail_insecure" });
    expect(server.mails).toEqual([]);
    await open({ url, tls: "optional" }).send(mail);
    expect(server.mails).toHaveLength(1);
  });

  it("sends nothing to a server whose certificate nobody vouches for", async () => {
    const server = await startMailServer(certificate);
    await expect(open({ url: `smtp://localhost:${server.port}` }).send(mail)).rejects.toMatchObject({
      code: "mail_insecure",
    });
    expect(server.mails).toEqual([]);
  });

  it("tells wrong credentials, a refused mail and a passing failure apart, and names nobody", async () => {
    const server = await startMailServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: (_auth, _session, callback) => callback(new Error("no")),
      onRcptTo({ address }, _session, callback) {
        const responseCode = address.startsWith("busy") ? 451 : 550;
        callback(address.startsWith("jo") ? null : Object.assign(new Error(`no ${address}`), { responseCode }));
      },
    });
    const { port } = server;
    const plain = open({ url: `smtp://localhost:${port}`, tls: "optional" });
    await expect(
      open({ url: `smtp://acme:wrong@localhost:${port}`, tls: "optional" }).send(mail),
    ).rejects.toMatchObject({ code: "mail_unauthorized" });
    for (const [to, code] of [
      ["gone@example.com", "mail_refused"],
      ["busy@example.com", "mail_failed"],
    ] as const) {
      const error = await plain.send({ ...mail, to }).catch((refusal: unknown) => refusal);
      expect(error).toMatchObject({ name: "EngineError", code });
      expect((error as Error).message).not.toContain(to);
    }
    await plain.send(mail);
  });

  it("fails when nobody answers, within its time", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;

    const url = `smtp://127.0.0.1:${port}`;
    await expect(open({ url, timeoutMs: 100 }).send(mail)).rejects.toMatchObject({ code: "mail_failed" });
    await new Promise<void>((resolve) => silent.close(() => resolve()));
    await expect(open({ url, timeoutMs: 100 }).send(mail)).rejects.toMatchObject({ code: "mail_failed" });
  });

  it("lets nobody smuggle in a second receiver or a header", async () => {
    const server = await startMailServer({ disabledCommands: ["STARTTLS"] });
    const mailer = open({ url: `smtp://localhost:${server.port}`, tls: "optional" });
    await mailer.send({ ...mail, subject: "Hi\r\nBcc: all@example.com" });
    await mailer.send({ ...mail, to: "jo@example.com, all@example.com" }).catch(() => {});
    expect(server.mails.flatMap(({ to }) => to)).not.toContain("all@example.com");
    expect(server.mails[0]?.source).not.toMatch(/^Bcc:/im);
  });

  it("refuses options that can't work, without repeating them", () => {
    for (const url of ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://u:secret@:25"]) {
      expect(() => createSmtpMailer({ url, from })).toThrowError(
        expect.objectContaining({ code: "invalid_options", message: expect.not.stringContaining("secret") }),
      );
    }
    for (const bad of ["", "Acme", "Acme <nobody>", "A\nB <a@example.com>"]) {
      expect(() => createSmtpMailer({ url: "smtp://localhost", from: bad })).toThrowError(
        expect.objectContaining({ code: "invalid_options" }),
      );
    }
    expect(() => createSmtpMailer({ url: "smtp://localhost", from, timeoutMs: 0 })).toThrowError(
      expect.objectContaining({ code: "invalid_options" }),
    );
  });
});

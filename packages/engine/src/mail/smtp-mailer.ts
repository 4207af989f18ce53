import { isIP } from "node:net";
import type { Mailer } from "@hookline/core";
import nodemailer from "nodemailer";
import { DEFAULTS } from "../defaults.js";
import { EngineError, type EngineErrorCode } from "../errors.js";
import { normaliseEmail } from "../identity/email.js";
import { isCleanText } from "../storage/text.js";

export interface SmtpMailerOptions {
  /** `smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465`; characters such as `@` in a password are percent-encoded. */
  readonly url: string;
  /** `hooks@example.com` or `Acme <hooks@example.com>`. */
  readonly from: string;
  /**
   * `required` (the default) sends nothing, and no password, over a connection that is not encrypted. `optional` encrypts
   * where the server can: for a server on this machine or in this network.
   */
  readonly tls?: "required" | "optional";
  /** Further certificate authorities to trust, in PEM: for a server of your own. */
  readonly certificateAuthorities?: string;
  /** For connecting, and for each answer of the server; 20,000 when absent. */
  readonly timeoutMs?: number;
}

export interface SmtpMailer extends Mailer {
  /** Ends the connections that are kept open between mails. */
  close(): void;
}

/**
 * A mailer over SMTP. `send` resolves when the server has accepted the mail, and throws an EngineError otherwise:
 * `mail_refused` where another try would change nothing, `mail_unauthorized` and `mail_insecure` where the configuration
 * has to change, `mail_failed` where it may pass. Messages hold neither an address nor what the mail says.
 *
 * @throws EngineError `invalid_options`
 * @see https://www.rfc-editor.org/rfc/rfc5321
 * @example
 * const mailer = createSmtpMailer({ url: "smtps://user:secret@mail.example.com", from: "Acme <hooks@example.com>" });
 * await mailer.send({ to: "jo@example.com", subject: "Hello", text: "Hello." });
 */
export function createSmtpMailer(options: SmtpMailerOptions): SmtpMailer {
  const { tls = "required", timeoutMs = DEFAULTS.smtpTimeoutMs, certificateAuthorities } = options;
  const server = readServer(options.url);
  const from = readSender(options.from);
  if (!(timeoutMs > 0)) throw new EngineError("invalid_options", "timeoutMs is more than 0.");
  const transport = nodemailer.createTransport({
    pool: true,
    maxConnections: DEFAULTS.smtpConnections,
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: tls === "required",
    ...(server.auth ? { auth: server.auth } : {}),
    tls: {
      ...(isIP(server.host) ? {} : { servername: server.host }),
      ...(certificateAuthorities ? { ca: certificateAuthorities } : {}),
    },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // A mail is what it says, never what a path or an address in it points to.
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  return {
    async send({ to, subject, text, html }) {
      try {
        // As an object, so that an address with a comma is not two.
        await transport.sendMail({ from, to: { name: "", address: to }, subject, text, ...(html ? { html } : {}) });
      } catch (cause) {
        throw toMailError(cause);
      }
    },
    close: () => transport.close(),
  };
}

function readServer(url: string) {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const secure = parsed?.protocol === "smtps:";
  // The URL may hold a password: it is not repeated.
  if (!parsed || !(secure || parsed.protocol === "smtp:") || !parsed.hostname) {
    throw new EngineError(
      "invalid_options",
      "url is smtp://host:port or smtps://host:port, with user:password@ if needed.",
    );
  }
  const [user, pass] = [decodeURIComponent(parsed.username), decodeURIComponent(parsed.password)];
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port ? Number(parsed.port) : secure ? 465 : 587,
    secure,
    auth: user ? { user, pass } : null,
  };
}

function readSender(from: string): { name: string; address: string } {
  const [, name = "", bracketed] = /^\s*([^<>]*?)\s*<([^<>]+)>\s*$/.exec(from) ?? [];
  const label = name.replace(/^"(.*)"$/, "$1");
  if (label !== "" && !isCleanText(label, DEFAULTS.maxNameCharacters)) {
    throw new EngineError(
      "invalid_options",
      "The name in from has at most 100 characters, none of them a control character.",
    );
  }
  try {
    return { name: label, address: normaliseEmail(bracketed ?? from) };
  } catch (cause) {
    throw new EngineError("invalid_options", "from is an email address, or Name <address>.", { cause });
  }
}

/** How Node says that it does not trust, or can't speak to, the other side of a TLS connection. */
const CERTIFICATE_ERRORS = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|HOSTNAME_MISMATCH)/;

function toMailError(cause: unknown): EngineError {
  const { code, originalCode, responseCode } = cause as Readonly<Record<string, unknown>>;
  const answer = typeof responseCode === "number" ? ` with ${responseCode}` : "";
  const isUntrusted = typeof originalCode === "string" && CERTIFICATE_ERRORS.test(originalCode);
  const [mailCode, what] = kindOf(isUntrusted ? "ETLS" : code, responseCode);
  return new EngineError(mailCode, `${what}${answer}.`, { cause });
}

function kindOf(code: unknown, responseCode: unknown): readonly [EngineErrorCode, string] {
  if (code === "EAUTH") return ["mail_unauthorized", "The mail server does not take these credentials, and answered"];
  if (code === "ETLS") return ["mail_insecure", "The connection to the mail server can't be encrypted"];
  if (typeof responseCode === "number" && responseCode >= 500)
    return ["mail_refused", "The mail server refused the mail"];
  return ["mail_failed", "The mail server could not be reached, or did not take the mail now"];
}

import { domainToASCII } from "node:url";
import { EngineError } from "../errors.js";

const MAX_EMAIL_CHARACTERS = 254;
const MAX_LOCAL_PART_CHARACTERS = 64;
const LOCAL_PART = /^[^\s\p{C}@"(),:;<>[\\\]]+$/u;
const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;

/**
 * The one spelling under which an address is known: trimmed, lower case, its domain in ASCII.
 *
 * @throws EngineError `invalid_email` when it is malformed or longer than 254 characters
 */
export function normaliseEmail(address: string): string {
  const trimmed = String(address).trim().normalize("NFC").toLowerCase();
  if (trimmed.length > MAX_EMAIL_CHARACTERS) {
    throw new EngineError("invalid_email", `An email address has at most ${MAX_EMAIL_CHARACTERS} characters.`);
  }
  const at = trimmed.lastIndexOf("@");
  const localPart = trimmed.slice(0, Math.max(at, 0));
  const domain = domainToASCII(trimmed.slice(at + 1));
  const dotsAreFine = !localPart.startsWith(".") && !localPart.endsWith(".") && !localPart.includes("..");
  if (
    at < 1 ||
    localPart.length > MAX_LOCAL_PART_CHARACTERS ||
    !LOCAL_PART.test(localPart) ||
    !dotsAreFine ||
    !DOMAIN.test(domain) ||
    localPart.length + 1 + domain.length > MAX_EMAIL_CHARACTERS
  ) {
    throw new EngineError("invalid_email", "This is not an email address.");
  }
  return `${localPart}@${domain}`;
}

/** `jo•••@example.com`: enough for its owner to recognise, too little for anybody else. */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf("@");
  const shown = [...address.slice(0, at)].slice(0, at > 3 ? 2 : 1).join("");
  return `${shown}•••${address.slice(at)}`;
}

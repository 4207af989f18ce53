import { createHmac, timingSafeEqual } from "node:crypto";
import { DiscordConnectorError } from "../errors.js";
import { DISCORD_LIMITS } from "../message/limits.js";

/** Signs and reads custom_ids. */
export interface CustomIds {
  /** Throws `custom_id_too_long`. Params are readable by everybody: no secret belongs there. */
  encode(route: ComponentRoute): string;
  /** Null for what was not signed by us. */
  decode(customId: string): ComponentRoute | null;
}

/** Which definition a custom_id leads to, with the values of its params in their order. */
export interface ComponentRoute {
  readonly kind: ComponentKind;
  readonly name: string;
  readonly params: readonly string[];
}

export type ComponentKind = keyof typeof KIND_LETTERS;

const VERSION = "h1";
const SEPARATOR = ":";
/** 96 bits: a guess has no hope, and 84 characters are left. */
const MAC_CHARACTERS = 16;
const KIND_LETTERS = { button: "b", modal: "m", select: "s" } as const;
const KINDS: ReadonlyMap<string, ComponentKind> = new Map(
  Object.entries(KIND_LETTERS).map(([kind, letter]) => [letter, kind as ComponentKind]),
);

/**
 * A custom_id is `h1:{kind}:{name}:{param}…:{mac}`: a versioned route, its params and a truncated HMAC-SHA256 over
 * all of them, so that nobody can press a button that was never shown.
 */
export function createCustomIds(secret: string): CustomIds {
  const mac = (text: string) =>
    createHmac("sha256", secret).update(`custom_id:${text}`).digest("base64url").slice(0, MAC_CHARACTERS);

  return {
    encode({ kind, name, params }) {
      const route = routeText(kind, name, params);
      assertCustomIdFits(kind, name, params);
      return `${route}${SEPARATOR}${mac(route)}`;
    },
    decode(customId) {
      const end = customId.lastIndexOf(SEPARATOR);
      if (end < 0 || customId.length > DISCORD_LIMITS.customId) return null;
      const route = customId.slice(0, end);
      const [version, letter, name, ...params] = route.split(SEPARATOR);
      const kind = KINDS.get(letter ?? "");
      if (version !== VERSION || name === undefined || kind === undefined) return null;
      if (!sameText(customId.slice(end + 1), mac(route))) return null;
      return {
        kind,
        name,
        params: params.map((param) => decodeURIComponent(param)),
      };
    },
  };
}

/** Throws `custom_id_too_long` when name and params leave no room for Discord's 100 characters. */
export function assertCustomIdFits(kind: ComponentKind, name: string, params: readonly string[]): void {
  const length = routeText(kind, name, params).length + SEPARATOR.length + MAC_CHARACTERS;
  if (length <= DISCORD_LIMITS.customId) return;
  throw new DiscordConnectorError(
    "custom_id_too_long",
    `The custom_id of the ${kind} "${name}" would have ${length} characters, Discord takes ${DISCORD_LIMITS.customId}: shorten its name or its params.`,
  );
}

function routeText(kind: ComponentKind, name: string, params: readonly string[]): string {
  return [VERSION, KIND_LETTERS[kind], name, ...params.map((param) => encodeURIComponent(param))].join(SEPARATOR);
}

function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

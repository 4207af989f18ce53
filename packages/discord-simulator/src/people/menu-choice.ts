import { DiscordSimulatorError } from "../errors.js";
import { findChannel, findRole, findUser } from "../world/look-up.js";
import type { GuildState, World } from "../world/model.js";
import { channelPayload, memberWithoutUser } from "../world/payloads.js";

interface MenuInput {
  readonly menu: Readonly<Record<string, unknown>>;
  readonly values: readonly string[];
  readonly guild: GuildState | null;
}

interface MenuChoice {
  readonly values: readonly string[];
  readonly resolved?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** `values` and `resolved` of a menu in which a person chose by label, value or name. */
export function chosenInMenu(world: World, { menu, values, guild }: MenuInput): MenuChoice {
  const min = Number(menu.min_values ?? 1);
  const max = Number(menu.max_values ?? 1);
  if (values.length < min || values.length > max) {
    throw new DiscordSimulatorError("invalid_choice", `The menu takes ${min} to ${max} choices.`);
  }
  if (menu.type === 3) {
    return { values: values.map((value) => optionOf(menu, value)) };
  }
  const resolved: Record<string, Record<string, unknown>> = {};
  const add = (kind: string, id: string, found: unknown) => {
    resolved[kind] = { ...resolved[kind], [id]: found };
    return id;
  };
  const ids = values.map((value) => {
    if (menu.type === 8) {
      const channel = findChannel(world, value, guild?.id);
      return add("channels", channel.id, channelPayload(channel));
    }
    const isRole = guild && (menu.type === 6 || [...guild.roles.values()].some(({ name }) => name === value));
    if (menu.type !== 5 && isRole) {
      const role = findRole(guild, value);
      return add("roles", role.id, role);
    }
    const { user } = findUser(world, value);
    const member = guild?.members.get(user.id);
    if (member) {
      add("members", user.id, memberWithoutUser(member));
    }
    return add("users", user.id, user);
  });
  return { values: ids, resolved };
}

function optionOf(menu: MenuInput["menu"], wanted: string): string {
  const options = (menu.options ?? []) as readonly { readonly label: string; readonly value: string }[];
  const found = options.find(({ label, value }) => value === wanted || label === wanted);
  if (!found) {
    throw new DiscordSimulatorError("invalid_choice", `The menu offers no "${wanted}".`);
  }
  return found.value;
}
